"""A context for every page template and every state of it, as the handlers pass them."""

from unit.web.templates.contexts import (
    admin,
    ai,
    approvals,
    brainstorms,
    home,
    inbox,
    intelligence,
    jobs,
    meetings,
    presentation,
    rules,
    session,
    summaries,
)
from unit.web.templates.contexts.presentation import PRESENT, PRESENTATION, presented
from unit.web.templates.contexts.shell import Context, run

__all__ = ["PAGES", "PRESENT", "PRESENTATION", "presented", "run"]

#: name of the state → (template, context)
PAGES: dict[str, tuple[str, Context]] = {
    **presentation.PAGES,
    **home.PAGES,
    **inbox.PAGES,
    **meetings.PAGES,
    **intelligence.PAGES,
    **admin.PAGES,
    **ai.PAGES,
    **approvals.PAGES,
    **brainstorms.PAGES,
    **jobs.PAGES,
    **rules.PAGES,
    **session.PAGES,
    **summaries.PAGES,
}
