"""Sign-in, problems and runs."""

from unit.web.templates.contexts.shell import NOW, SHELL, SIGNED_OUT, Context, run

SIGN_IN: Context = {
    **SIGNED_OUT,
    "form": {"email": ""},
    "next": "",
    "errors": {},
    "failure": None,
}


PROBLEM: Context = {
    **SHELL,
    "status": 404,
    "code": "not_found",
    "detail": "",
    "retry_after": None,
    "request_id": None,
    "again": None,
}


RUN_PAGE: Context = {
    **SHELL,
    "run": {
        **run("processing", "read", 3, 12),
        "kind": "engagement",
        "completed_at": None,
        "result_url": None,
        "page_url": "/companies/fjordvik.example",
    },
}


PAGES: dict[str, tuple[str, Context]] = {
    "sign-in": ("session/sign_in.html", SIGN_IN),
    "sign-in-refused": (
        "session/sign_in.html",
        {
            **SIGN_IN,
            "form": {"email": "ada@lindqvist.example"},
            "next": "/kv",
            "failure": "The e-mail address or the password is not right.",
            "errors": {"password": "Enter your password."},
        },
    ),
    "link": ("session/link.html", {**SIGNED_OUT, "token": "once", "usable": True}),
    "link-used": ("session/link.html", {**SIGNED_OUT, "token": "once", "usable": False}),
    "not-found": ("errors/problem.html", PROBLEM),
    "forbidden": (
        "errors/problem.html",
        {
            **PROBLEM,
            "status": 403,
            "code": "forbidden",
            "detail": "Only admins may look into the KV store.",
        },
    ),
    "signed-out": (
        "errors/problem.html",
        {**PROBLEM, **SIGNED_OUT, "status": 401, "code": "unauthenticated"},
    ),
    "too-many": (
        "errors/problem.html",
        {**PROBLEM, "status": 429, "code": "rate_limited", "retry_after": 1, "again": "/kv?key=a"},
    ),
    "broken": (
        "errors/problem.html",
        {**PROBLEM, **SIGNED_OUT, "status": 500, "code": "internal", "request_id": "0199f0aa"},
    ),
    "teapot": ("errors/problem.html", {**PROBLEM, "status": 418, "code": "teapot"}),
    "run": ("runs/show.html", RUN_PAGE),
    "run-done": (
        "runs/show.html",
        {
            **SHELL,
            "run": {
                **RUN_PAGE["run"],
                "status": "complete",
                "completed_at": NOW,
                "result_url": "/companies/fjordvik.example",
            },
        },
    ),
    "run-failed": (
        "runs/show.html",
        {
            **SHELL,
            "run": {**RUN_PAGE["run"], "status": "error", "error": "Failed to parse AI response"},
        },
    ),
}
