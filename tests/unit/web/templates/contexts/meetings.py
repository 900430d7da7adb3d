"""Meetings: the list, one of them, the upload."""

from unit.web.templates.contexts.shell import SHELL, Context, ago
from unit.web.templates.contexts.summary import MINUTES, TITLES, meeting_id

MEETINGS: Context = {
    **SHELL,
    "q": "",
    "domain": "",
    "errors": {},
    "domains": ["fjordvik.example"],
    "subdomains": False,
    "total": 1225,
    "next_url": "/meetings?cursor=abc",
    "first_url": None,
    "meetings": [
        {
            "id": meeting_id(at),
            "title": TITLES[at],
            "at": ago(196 - 14 * at),
            "domain": "fjordvik.example" if at % 5 else None,
            "company": "Fjordvik Rail" if at % 5 else None,
            "people": ["Solveig Aune", "Henrik Dahl", "Jonas Berg", "Marit Lien", "Ada Sorensen"][
                : at % 6
            ],
            "minutes": MINUTES[at] if at != 3 else None,
            "segments": 40 * MINUTES[at] // 3,
            "hits": 0,
            "snippets": [],
        }
        for at in range(13, 0, -1)
    ],
}


FOUND: Context = {
    **MEETINGS,
    "q": "night shift",
    "total": 2,
    "next_url": None,
    "first_url": "/meetings?q=night+shift",
    "meetings": [
        {
            **MEETINGS["meetings"][at],
            "hits": 3 - at,
            "snippets": [
                {
                    "segment_id": f"s{n}",
                    "speaker": "Henrik Dahl",
                    "offset": "00:19:55" if n else None,
                    "parts": [
                        ("… What keeps me awake is the ", False),
                        ("night shift", True),
                        (": nobody has asked them.", False),
                    ],
                }
                for n in range(3 - at)
            ],
        }
        for at in range(2)
    ],
}


SAID = [
    (
        "Solveig Aune",
        (
            "Good morning everyone. We have the night shift with us today, so let us begin "
            "there and not with the slides."
        ),
    ),
    ("Marit Lien", "Thank you. I will be short, I came off at six."),
    (
        "Marit Lien",
        (
            "If a fitter has to take his gloves off to report a crack, he will report it at "
            "the end of the shift, and by then it is a different crack."
        ),
    ),
    ("Ada Sorensen", "How many reports is that, on a usual night?"),
    ("Marit Lien", "Eleven, twelve. In the cold more."),
    ("Henrik Dahl", "And what would one of them cost us if it came late?"),
]


SHOW: Context = {
    **SHELL,
    "q": "",
    "hits": [],
    "meeting": {
        "id": meeting_id(13),
        "title": TITLES[13],
        "at": ago(2),
        "minutes": 63,
        "source": "fathom",
        "url": "https://fathom.video/calls/713",
        "companies": [{"domain": "fjordvik.example", "name": "Fjordvik Rail"}],
        "invitees": [
            {"name": "Marit Lien", "email": "marit@fjordvik.example", "is_external": True},
            {"name": "", "email": "ada@lindqvist.example", "is_external": False},
        ],
        "summary": "## Handover\n\n- Gloves stay on\n- One depot first",
        "action_items": [
            {
                "text": "Send the plan for the trial depot",
                "completed": False,
                "assignee": "Ada Sorensen",
                "url": "https://fathom.video/calls/713?timestamp=3136",
            },
            {
                "text": "Ask who owns the part numbers",
                "completed": True,
                "assignee": None,
                "url": None,
            },
        ],
    },
    "segments": [
        {
            "id": f"0199f0aa-3333-7000-8000-{n:012d}",
            "speaker": who,
            "offset": f"00:{n:02d}:1{n % 10}",
            "url": "https://fathom.video/x" if n % 2 else None,
            "parts": [(what, False)],
        }
        for n, (who, what) in enumerate(SAID * 4)
    ],
}


UPLOAD: Context = {
    **SHELL,
    "form": {"company": "", "date": ""},
    "errors": {},
    "limit_mib": 64,
    "results": None,
}


RESULTS = [
    {
        "name": "2025-11-18 handover.vtt",
        "created": 1,
        "updated": 0,
        "unchanged": 0,
        "nameless": 1,
        "errors": [],
    },
    {
        "name": "export.json",
        "created": 12,
        "updated": 2,
        "unchanged": 40,
        "nameless": 0,
        "errors": [
            {"line": 412, "message": "“created_at” is missing."},
            {"line": None, "message": "The last item is cut off."},
        ],
    },
    {
        "name": "notes.srt",
        "created": 0,
        "updated": 0,
        "unchanged": 0,
        "nameless": 0,
        "errors": [
            {"line": n, "message": "This is not a time: “00:61:00,000”."} for n in range(1, 61)
        ],
    },
]


PAGES: dict[str, tuple[str, Context]] = {
    "meetings": ("meetings/list.html", MEETINGS),
    "meetings-found": ("meetings/list.html", FOUND),
    "meetings-none": (
        "meetings/list.html",
        {**MEETINGS, "meetings": [], "total": 0, "next_url": None},
    ),
    "meetings-not-found": (
        "meetings/list.html",
        {
            **MEETINGS,
            "meetings": [],
            "total": 0,
            "next_url": None,
            "q": "hyperloop",
            "domain": "fjordvik.example",
            "errors": {"domain": "Not met."},
        },
    ),
    "meetings-of": (
        "meetings/list.html",
        {**MEETINGS, "meetings": [], "total": 0, "next_url": None, "domain": "unmet.example"},
    ),
    "meeting": ("meetings/show.html", SHOW),
    "meeting-found": (
        "meetings/show.html",
        {
            **SHOW,
            "q": "gloves",
            "hits": [{"segment_id": SHOW["segments"][2]["id"], "offset": "00:02:12"}] * 41,
            "segments": [
                {
                    **SHOW["segments"][2],
                    "parts": [("take his ", False), ("gloves", True), (" off", False)],
                }
            ],
        },
    ),
    "meeting-not-found": ("meetings/show.html", {**SHOW, "q": "hyperloop"}),
    "meeting-bare": (
        "meetings/show.html",
        {
            **SHOW,
            "segments": [],
            "meeting": {
                **SHOW["meeting"],
                "minutes": None,
                "url": None,
                "companies": [],
                "invitees": [],
                "summary": None,
                "action_items": [],
            },
        },
    ),
    "upload": ("meetings/upload.html", UPLOAD),
    "upload-results": ("meetings/upload.html", {**UPLOAD, "results": RESULTS}),
    "upload-wrong": (
        "meetings/upload.html",
        {
            **UPLOAD,
            "form": {"company": "x", "date": "x"},
            "errors": {
                "files": "Choose at least one file.",
                "company": "No domain.",
                "date": "No day.",
            },
        },
    ),
}
