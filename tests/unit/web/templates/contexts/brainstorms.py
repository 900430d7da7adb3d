"""Brainstorms: the list, the board, its slides."""

from types import SimpleNamespace

from unit.web.templates.contexts.shell import NOW, RUN, SHELL, Context, ago

IDEA = "0199f0aa-1111-7000-8000-0000000000a1"

LIST: Context = {
    **SHELL,
    "brainstorms": [
        {
            "id": RUN,
            "topic": "How do we win more pilots?",
            "framework": "SCAMPER",
            "role": "owner",
            "ideas": 12,
            "at": NOW,
        }
    ],
    "frameworks": [("free_form", "Free"), ("scamper", "SCAMPER")],
    "typed": {"topic": "", "framework": "free_form", "human_first": "0", "thread_id": ""},
    "errors": {},
    "next_url": "/brainstorms?cursor=x",
    "first_url": None,
}

CARD = {
    "id": IDEA,
    "text": "Offer a free data check",
    "votes": 3,
    "voted": True,
    "status": "selected",
    "priority": "high",
    "tags": ["sales"],
    "author": "Ada Sorensen",
    "is_engine": False,
    "cluster_id": RUN,
    "up": "",
    "down": None,
    "details": [{"title": "What it is", "lines": ["A day with their data."]}],
    "scores": [{"name": "impact", "score": 70, "reason": "It opens doors."}],
}

NUMBERS = SimpleNamespace(ideas=2, votes=3, momentum=SimpleNamespace(trend="rising"))

SESSION = {
    "id": RUN,
    "topic": "How do we win more pilots?",
    "description": "For the spring.",
    "framework": "scamper",
    "human_first": 2,
    "timer_ends_at": NOW,
    "version": 7,
    "role": "owner",
    "hides_ai": True,
}

BOARD: Context = {
    **SHELL,
    "session": SESSION,
    "may_edit": True,
    "is_owner": True,
    "by": "cluster",
    "columns": [
        {
            "key": "",
            "name": "Without a cluster",
            "cluster": None,
            "cards": [
                {
                    **CARD,
                    "id": IDEA.replace("a1", "a2"),
                    "is_engine": True,
                    "voted": False,
                    "up": None,
                    "down": IDEA,
                    "details": None,
                    "scores": None,
                }
            ],
        },
        {
            "key": RUN,
            "name": "Before the pilot",
            "cluster": {"id": RUN, "version": 3},
            "cards": [CARD],
        },
        {
            "key": IDEA,
            "name": "Empty",
            "cluster": {"id": IDEA, "version": 4},
            "cards": [],
        },
    ],
    "clusters": [("", "None"), (RUN, "Before the pilot")],
    "statuses": [("new", "New"), ("selected", "Selected")],
    "priorities": [("medium", "Medium"), ("high", "High")],
    "frameworks": [("scamper", "SCAMPER")],
    "operations": [("generate", "Suggest ideas"), ("gaps", "Find gaps")],
    "techniques": [("", "All of them"), ("combine", "Combine")],
    "ideas": [(IDEA, "Offer a free data check")],
    "people": [
        {"user_id": RUN, "name": "Ada Sorensen", "role": "owner"},
        {"user_id": IDEA, "name": "Bo Lind", "role": "editor"},
    ],
    "members": [(IDEA, "Bo Lind")],
    "me": RUN,
    "now": ago(2),
    "context": [{"sender": "Ada", "body": "How do we get there?", "sent_at": ago(1)}],
    "numbers": NUMBERS,
    "results": [
        {
            "id": RUN,
            "name": "Find gaps",
            "engine": "local",
            "at": NOW,
            "added": 2,
            "lines": ["Not looked at: cost."],
            "offers": [
                {"text": "What does it cost?", "tag": "gap", "is_new": True},
                {"text": "Who is concerned?", "tag": "gap", "is_new": True},
                {"text": "By when?", "tag": "gap", "is_new": False},
            ],
        },
        {
            "id": IDEA,
            "name": "Suggest ideas",
            "engine": "local",
            "at": NOW,
            "added": 0,
            "lines": ["What could go?"],
            "offers": [],
        },
    ],
    "run": {"id": RUN, "status": "running", "error": None},
    "problem": None,
    "typed": "",
}

PAGES: dict[str, tuple[str, Context]] = {
    "brainstorms": ("brainstorms/list.html", LIST),
    "brainstorms-none": (
        "brainstorms/list.html",
        {
            **LIST,
            "typed": {**LIST["typed"], "thread_id": RUN},
            "brainstorms": [],
            "errors": {"topic": "is empty"},
            "next_url": None,
            "first_url": "/brainstorms",
        },
    ),
    "brainstorms-none-reader": (
        "brainstorms/list.html",
        {
            **LIST,
            "brainstorms": [],
            "user": {**SHELL["user"], "may_write": False},
            "next_url": None,
        },
    ),
    "brainstorm": ("brainstorms/board.html", BOARD),
    "brainstorm-by-status": (
        "brainstorms/board.html",
        {
            **BOARD,
            "by": "status",
            "run": {"id": RUN, "status": "error", "error": "The provider failed."},
            "problem": "Somebody changed the same since you read it.",
            "typed": "Call them",
            "columns": [{"key": "new", "name": "New", "cluster": None, "cards": [CARD]}],
        },
    ),
    "brainstorm-reader": (
        "brainstorms/board.html",
        {
            **BOARD,
            "may_edit": False,
            "is_owner": False,
            "me": IDEA,
            "run": None,
            "results": [],
            "context": [],
            "session": {
                **SESSION,
                "description": "",
                "timer_ends_at": None,
                "hides_ai": False,
                "role": "viewer",
            },
        },
    ),
    "brainstorm-slides": (
        "brainstorms/slides.html",
        {
            **SHELL,
            "session": SESSION,
            "people": ["Ada Sorensen", "Bo Lind"],
            "numbers": NUMBERS,
            "slides": [
                {
                    "title": "Before the pilot",
                    "ideas": [
                        {
                            "text": "Offer a free data check",
                            "votes": 3,
                            "author": "Ada",
                            "status": "selected",
                        }
                    ],
                }
            ],
        },
    ),
}
