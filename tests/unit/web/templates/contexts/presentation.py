"""The presentation page in every state."""

from typing import Any

from unit.web.templates.contexts.extremes import LONG, MANY, NOTHING
from unit.web.templates.contexts.shell import NOW, RUN, SHELL, Context, ago, run
from unit.web.templates.contexts.summary import SUMMARY

SAVED = {
    "kind": "ok",
    "text": "Saved as your organization’s version.",
    "undo": {"action": "/companies/fjordvik.example/edition/undo", "fields": {"version": "3"}},
}


PRESENTATION: Context = {
    **SHELL,
    "company": {
        "subdomains": False,
        "domain": "fjordvik.example",
        "name": "Fjordvik Rail",
        "meetings_count": 14,
        "first_meeting_at": ago(196),
        "last_meeting_at": ago(2),
    },
    "mode": "read",
    "wait_seconds": 60,
    "words": "record",
    "edition": None,
    "conflict": None,
    "errors": {},
    "run": {
        "id": RUN,
        "status": "complete",
        "progress": {"stage": "verify", "done": 31, "total": 31},
        "error": None,
        "created_at": NOW,
    },
    "summary": SUMMARY,
}


EDITION: Context = {
    "version": 3,
    "saved_by": "Ada Sorensen",
    "saved_at": ago(0.1),
    "edited": 1,
    "hidden": 1,
}


def presented(**changes: Any) -> Context:
    """The presentation page with some of its context changed."""
    return {**PRESENTATION, **changes}


BUSY = run("processing", "read", 3, 12)


CONFLICTED: Context = {
    **SUMMARY,
    "overview": [
        {
            **SUMMARY["overview"][0],
            "conflict_text": "Fjordvik wants its depots off paper by Christmas.",
        },
        *SUMMARY["overview"][1:],
    ],
}


PRESENT = "engagement/presentation.html"


PAGES: dict[str, tuple[str, Context]] = {
    "summary": (PRESENT, PRESENTATION),
    "summary-edited": (PRESENT, presented(words="edition", edition=EDITION, flashes=[SAVED])),
    "summary-record": (PRESENT, presented(edition=EDITION)),
    "summary-busy": (PRESENT, presented(run=BUSY)),
    "summary-failed": (
        PRESENT,
        presented(run=run("error", error="OpenAI API error: 429 Too Many Requests")),
    ),
    "summary-many": (
        PRESENT,
        presented(
            summary=MANY, company={**PRESENTATION["company"], "name": LONG, "meetings_count": 500}
        ),
    ),
    "never": (PRESENT, presented(run=None, summary=None)),
    "never-met": (
        PRESENT,
        presented(
            run=None,
            summary=None,
            company={
                "domain": "new.example",
                "name": "new.example",
                "meetings_count": 0,
                "first_meeting_at": None,
                "last_meeting_at": None,
            },
        ),
    ),
    "waiting": (PRESENT, presented(run=run("processing"), summary=None)),
    "queued": (PRESENT, presented(run=run("queued"), summary=None)),
    "running": (PRESENT, presented(run={**BUSY, "status": "running"})),
    "reading": (PRESENT, presented(run=BUSY, summary=None)),
    "failed": (
        PRESENT,
        presented(run=run("error", error="OPENAI_API_KEY not configured"), summary=None),
    ),
    "failed-unknown": (PRESENT, presented(run=run("error"), summary=None)),
    "cancelled": (PRESENT, presented(run=run("cancelled"), summary=None)),
    "nothing": (PRESENT, presented(summary=NOTHING)),
    "edit": (PRESENT, presented(mode="edit", words="edition", edition=EDITION)),
    "edit-first": (PRESENT, presented(mode="edit")),
    "edit-conflict": (
        PRESENT,
        presented(
            mode="edit",
            edition=EDITION,
            summary=CONFLICTED,
            conflict={"saved_by": "Per Lindqvist", "saved_at": NOW},
            errors={"goals.0": "At most 2,000 characters."},
        ),
    ),
}
