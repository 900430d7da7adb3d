"""A context for every page template and every state of it, as the handlers pass them."""

from unit.web.templates.contexts import (
    admin,
    ai,
    brainstorms,
    home,
    jobs,
    meetings,
    presentation,
    session,
)
from unit.web.templates.contexts.presentation import PRESENT, PRESENTATION, presented
from unit.web.templates.contexts.shell import Context, run

__all__ = ["PAGES", "PRESENT", "PRESENTATION", "presented", "run"]

#: name of the state → (template, context)
PAGES: dict[str, tuple[str, Context]] = {
    **presentation.PAGES,
    **home.PAGES,
    **meetings.PAGES,
    **admin.PAGES,
    **ai.PAGES,
    **brainstorms.PAGES,
    **jobs.PAGES,
    **session.PAGES,
}
