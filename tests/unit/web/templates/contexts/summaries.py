"""Summaries of conversations: the page of all, one with its sources, and a run."""

from datetime import date

from unit.web.templates.contexts.shell import NOW, RUN, SHELL, Context, ago, run

CHANNEL = "0199f0aa-1111-7000-8000-0000000000c1"

SHOWN: Context = {
    "id": RUN,
    "title": "Support",
    "type": "channel",
    "text": "The importer fails on large files. They roll back on Friday.",
    "lead": [
        {
            "key": "summary.0",
            "text": "the importer fails on large files.",
            "sources": [1],
            "owner": None,
            "due": None,
            "by": None,
        },
        {
            "key": "summary.1",
            "text": "They roll back on Friday.",
            "sources": [2, 1],
            "owner": None,
            "due": None,
            "by": None,
        },
    ],
    "sections": [
        {"key": "key_points", "title": "Key points", "count": None, "lines": []},
        {
            "key": "decisions",
            "title": "Decisions",
            "count": None,
            "lines": [
                {
                    "key": "decisions.0",
                    "text": "We roll back to version three.",
                    "sources": [2],
                    "owner": None,
                    "due": None,
                    "by": "Ben Oaks",
                }
            ],
        },
        {
            "key": "action_items",
            "title": "Actions",
            "count": None,
            "lines": [
                {
                    "key": "action-items.0",
                    "text": "Write the migration notes.",
                    "sources": [3],
                    "owner": "Ana Lund",
                    "due": date(2026, 3, 6),
                    "by": None,
                }
            ],
        },
        {"key": "open_questions", "title": "Open questions", "count": None, "lines": []},
    ],
    "participants": [{"name": f"Person {n}", "count": 12 - n} for n in range(11)],
    "message_count": 41,
    "messages_left_out": 0,
    "from_at": ago(2),
    "until_at": ago(1),
    "timezone": None,
    "engine": "openai:gpt-4.1-mini",
    "generated_at": NOW,
    "expires_at": ago(-30),
    "quotes_checked": 9,
    "unverified": [{"list": "Decisions", "text": "Everybody was pleased."}],
    "sources": [
        {
            "number": n,
            "quote": f"What was written {n}",
            "sender": "Ana Lund",
            "at": ago(2),
            "url": "/inbox/c1?message=m1#message-m1",
            "line_key": key,
        }
        for n, key in ((1, "summary.0"), (2, "summary.1"), (3, "action-items.0"))
    ],
}

POINT = {
    "key": "key-points.0",
    "text": "the importer fails.",
    "sources": [1],
    "owner": None,
    "due": None,
    "by": "Ana Lund",
}

DIGEST: Context = {
    **SHOWN,
    "title": "Thursday, 20 November 2025",
    "type": "daily_digest",
    "timezone": "Europe/Oslo",
    "engine": "local",
    "messages_left_out": 1200,
    "unverified": [],
    "sections": [
        {"key": "channel-0", "title": "Support", "count": 40, "lines": [POINT]},
        {"key": "channel-1", "title": "Random", "count": 1, "lines": []},
        *SHOWN["sections"][1:],
    ],
}

NOTHING: Context = {
    **SHOWN,
    "title": "What is new",
    "type": "catch_up",
    "text": "Nothing new since you last read.",
    "lead": [],
    "sections": [],
    "participants": [],
    "message_count": 0,
    "from_at": None,
    "until_at": None,
    "engine": "none",
    "quotes_checked": 0,
    "unverified": [],
    "sources": [],
}

INDEX: Context = {
    **SHELL,
    "digest": DIGEST,
    "channels": [
        {"id": CHANNEL, "name": "Support", "unread": 3},
        {"id": RUN, "name": "Random", "unread": 0},
    ],
    "schedule": {"hour": 6, "timezone": "Europe/Oslo"},
    "unread": 3,
    "summaries": [
        {
            "id": RUN,
            "title": title,
            "type": kind,
            "text": "The importer fails on large files. " * 12,
            "message_count": 41,
            "generated_at": NOW,
        }
        for title, kind in (("Support", "channel"), ("Rollback", "thread"), ("Today", "catch_up"))
    ],
    "form": dict.fromkeys(("type", "reference", "since", "at", "date", "timezone", "hour"), ""),
    "errors": {},
    "next_url": "/summaries?cursor=x",
    "first_url": None,
}

CATCHING = {**INDEX["form"], "type": "catch_up", "since": "at", "at": "soon", "reference": CHANNEL}

PAGES: dict[str, tuple[str, Context]] = {
    "summaries": ("summaries/index.html", INDEX),
    "summaries-new": (
        "summaries/index.html",
        {**INDEX, "digest": None, "summaries": [], "next_url": None},
    ),
    "summaries-without-channels": (
        "summaries/index.html",
        {**INDEX, "digest": None, "channels": [], "unread": 0, "summaries": []},
    ),
    "summaries-refused": (
        "summaries/index.html",
        {
            **INDEX,
            "form": CATCHING,
            "errors": {"at": "Choose a day and a time.", "reference": "It is not valid."},
            "first_url": "/summaries",
        },
    ),
    "summaries-digest-refused": (
        "summaries/index.html",
        {
            **INDEX,
            "form": {**INDEX["form"], "type": "daily_digest", "timezone": "Mars"},
            "errors": {"timezone": "timezone is not a time zone such as Europe/Berlin."},
        },
    ),
    "summaries-schedule-refused": (
        "summaries/index.html",
        {
            **INDEX,
            "schedule": {"hour": None, "timezone": "UTC"},
            "form": {**INDEX["form"], "type": "schedule", "timezone": "Mars"},
            "errors": {"timezone": "timezone is not a time zone such as Europe/Berlin."},
        },
    ),
    "conversation": ("summaries/show.html", {**SHELL, "summary": SHOWN}),
    "conversation-digest": ("summaries/show.html", {**SHELL, "summary": DIGEST}),
    "conversation-nothing": ("summaries/show.html", {**SHELL, "summary": NOTHING}),
    "summary-run": ("summaries/run.html", {**SHELL, "run": run("running", "read", 2, 5)}),
    "summary-run-waits": ("summaries/run.html", {**SHELL, "run": run("queued")}),
    "summary-run-failed": (
        "summaries/run.html",
        {**SHELL, "run": run("error", error="OpenAI API error: 500")},
    ),
    "summary-run-cancelled": ("summaries/run.html", {**SHELL, "run": run("cancelled")}),
}
