"""Home and the list of companies."""

from unit.web.templates.contexts.extremes import LONG
from unit.web.templates.contexts.shell import NOW, SHELL, Context, ago

COMPANIES = [
    {
        "domain": "fjordvik.example",
        "name": "Fjordvik Rail",
        "meetings_count": 14,
        "last_meeting_at": ago(2),
        "summary_status": "complete",
        "summary_at": NOW,
    },
    {
        "domain": "northsea-pilots.example",
        "name": "northsea-pilots.example",
        "meetings_count": 1204,
        "last_meeting_at": ago(9),
        "summary_status": "processing",
        "summary_at": None,
    },
    {
        "domain": "xn--bcher-kva.example",
        "name": LONG,
        "meetings_count": 1,
        "last_meeting_at": None,
        "summary_status": "none",
        "summary_at": None,
    },
    {
        "domain": "halden-paper.example",
        "name": "Halden Paper",
        "meetings_count": 6,
        "last_meeting_at": ago(31),
        "summary_status": "error",
        "summary_at": None,
    },
]


HOME: Context = {
    **SHELL,
    "form": {"website": ""},
    "errors": {},
    "waits": {"unread": 14, "drafts": 1},
    "counts": {"companies": 4, "meetings": 1225, "people": 61, "segments": 214503},
    "runs": [
        {
            "id": "1",
            "domain": "northsea-pilots.example",
            "name": "northsea-pilots.example",
            "status": "processing",
            "progress": {"stage": "read", "done": 3, "total": 12},
            "error": None,
            "created_at": NOW,
            "completed_at": None,
        },
        {
            "id": "2",
            "domain": "fjordvik.example",
            "name": "Fjordvik Rail",
            "status": "complete",
            "progress": {"stage": "verify", "done": 0, "total": 0},
            "error": None,
            "created_at": ago(0.2),
            "completed_at": ago(0.1),
        },
        {
            "id": "3",
            "domain": "halden-paper.example",
            "name": "Halden Paper",
            "status": "error",
            "progress": {"stage": "read", "done": 0, "total": 0},
            "error": "OpenAI API error: 429 Too Many Requests",
            "created_at": ago(1),
            "completed_at": ago(1),
        },
    ],
    "companies": COMPANIES,
}


PAGES: dict[str, tuple[str, Context]] = {
    "home": ("home/index.html", HOME),
    "home-wrong": (
        "home/index.html",
        {
            **HOME,
            "form": {"website": "not a domain"},
            "errors": {
                "website": "That is not a website: “not a domain”. Write it like northwind.example."
            },
            "theme": "dark",
        },
    ),
    "home-first": (
        "home/index.html",
        {
            **HOME,
            "waits": {"unread": 0, "drafts": 0},
            "counts": {"companies": 0, "meetings": 0, "people": 0, "segments": 0},
            "runs": [],
            "companies": [],
        },
    ),
    "home-no-company": ("home/index.html", {**HOME, "runs": [], "companies": []}),
    "companies": (
        "companies/list.html",
        {
            **SHELL,
            "companies": COMPANIES,
            "total": 4,
            "next_url": "/companies?cursor=x",
            "first_url": "/companies",
        },
    ),
    "companies-empty": (
        "companies/list.html",
        {**SHELL, "companies": [], "total": None, "next_url": None, "first_url": None},
    ),
}
