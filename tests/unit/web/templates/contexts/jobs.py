"""What administrators see of jobs."""

from unit.web.templates.contexts.shell import NOW, RUN, SHELL, Context, ago

JOB = {
    "id": RUN,
    "kind": "mail.send",
    "status": "failed",
    "attempt": 5,
    "max_attempts": 5,
    "error": "The mail server refused the recipient: mailbox unavailable.",
    "progress": None,
    "created_at": ago(1),
    "run_at": None,
    "ended_at": NOW,
    "seconds": 0.0221,
    "may_cancel": False,
    "may_retry": True,
}

WAITING = {
    **JOB,
    "status": "pending",
    "attempt": 0,
    "error": None,
    "run_at": NOW,
    "ended_at": None,
    "seconds": None,
    "may_cancel": True,
    "may_retry": False,
}

MORE = {
    "args": '{\n  "to": "ada@lindqvist.example"\n}',
    "result": None,
    "worker": "studio:4211:1c8a30d2",
    "run_id": None,
    "claimed_at": NOW,
    "priority": 0,
}

NONE = {"wait_p50": None, "wait_p95": None, "run_p50": None, "run_p95": None}

JOBS: Context = {
    **SHELL,
    "stats": {
        "pending": 10_000,
        "running": 8,
        "blocked": 3,
        "completed": 1543,
        "dead_letters": 1,
        "most": 10_000,
        "waits": 12.4,
        "kinds": [
            {
                "kind": "engagement",
                "pending": 0,
                "running": 1,
                "blocked": 0,
                "completed": 41,
                "failed": 0,
                "cancelled": 2,
                "wait_p50": 0.0021,
                "wait_p95": 0.2,
                "run_p50": 4.2,
                "run_p95": 6300.0,
            },
            {
                "kind": "mail.send",
                "pending": 10_000,
                "running": 7,
                "blocked": 3,
                "completed": 0,
                "failed": 1,
                "cancelled": 0,
                **NONE,
            },
        ],
    },
    "jobs": [
        JOB,
        WAITING,
        {**WAITING, "status": "later", "error": "It cannot be reached.", "may_retry": True},
        {**WAITING, "status": "blocked", "error": "It waits for another job with its key."},
        {**JOB, "status": "completed", "error": None, "may_retry": False, "seconds": 480.0},
    ],
    "status": "",
    "kind": "",
    "here": "/jobs",
    "next_url": "/jobs?cursor=x",
    "first_url": None,
}

EMPTY = {
    **JOBS["stats"],
    **dict.fromkeys(("pending", "running", "blocked", "completed", "dead_letters"), 0),
    "waits": None,
    "kinds": [],
}

PAGES: dict[str, tuple[str, Context]] = {
    "jobs": ("jobs/index.html", JOBS),
    "jobs-failed": (
        "jobs/index.html",
        {**JOBS, "status": "failed", "kind": "mail.send", "jobs": [JOB], "first_url": "/jobs"},
    ),
    "jobs-empty": (
        "jobs/index.html",
        {**JOBS, "stats": EMPTY, "jobs": [], "next_url": None},
    ),
    "jobs-none-failed": (
        "jobs/index.html",
        {**JOBS, "stats": EMPTY, "jobs": [], "next_url": None, "status": "failed"},
    ),
    "job": ("jobs/show.html", {**SHELL, "job": {**JOB, **MORE}}),
    "job-running": (
        "jobs/show.html",
        {
            **SHELL,
            "job": {
                **WAITING,
                **MORE,
                "status": "running",
                "progress": {"stage": "reading", "done": 3, "total": 12},
                "run_id": RUN,
                "result": '{\n  "made": 1\n}',
                "priority": 5,
            },
        },
    ),
}
