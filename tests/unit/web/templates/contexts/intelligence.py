"""Intelligence: a channel with much and with nothing to say, and the overview."""

from unit.web.templates.contexts.shell import NOW, SHELL, Context, ago

CHANNEL = "0199f0aa-3333-7000-8000-000000000001"
MESSAGE = "0199f0aa-4444-7000-8000-000000000001"
URL = f"/inbox/{CHANNEL}?message={MESSAGE}#message-{MESSAGE}"
SOURCES = [{"quote": "The invoices are broken again, and nobody answers.", "url": URL}]
SCORES = [0.1, 0.3, 0.28, -0.05, -0.3, -0.42, -0.2, 0.05, -0.35]
FEELS = ["neutral", "positive", "positive", "neutral", "negative", "negative", "mixed"]

POINTS = [
    {
        "x": 8.0 + 78 * n,
        "y": round(80 - 72 * score, 1),
        "sentiment": FEELS[n % 7],
        "score": f"{score:+.2f}",
        "at": ago(7 - 0.8 * n),
    }
    for n, score in enumerate(SCORES)
]

READ: Context = {
    **SHELL,
    "channel": {
        "id": CHANNEL,
        "name": "Fjordvik support",
        "kind": "email",
        "messages": 1482,
        "unread": 2,
    },
    "mood": {
        "sentiment": "negative",
        "score": "-0.35",
        "reason": "Of the last 24 messages 3 read positive and 11 negative; the newest weigh most.",
        "sources": SOURCES,
        "engine": "local",
        "at": NOW,
    },
    "engagement": {
        "score": 58,
        "trend": "declining",
        "windows": {"days": 7, "recent_messages": 41, "previous_messages": 96},
    },
    "people": [
        {
            "name": name,
            "direction": "in" if n else "out",
            "messages": 240 - 60 * n,
            "last_seen_at": ago(n),
            "score": 92.0 - 20 * n,
        }
        for n, name in enumerate(["Solveig Aune", "Henrik Dahl", "Jonas Berg"])
    ],
    "responses": [
        {"side": "Ours", "count": 44, "median": "2 h 5 min", "p90": "1 d 3 h"},
        {"side": "Theirs", "count": 51, "median": "38 min", "p90": "9 h"},
    ],
    "questions": [
        {
            "asked_by": "Henrik Dahl",
            "quote": "When will the invoices be right?",
            "waits": "2 d 4 h",
            "url": URL,
        }
    ]
    * 9,
    "followups": [
        {"words": "unanswered", "text": "Answer Henrik Dahl’s question.", "sources": SOURCES},
        {"words": "decision", "text": "Take the decision that Jonas asks for.", "sources": SOURCES},
    ],
    "topics": [
        {
            "topic": topic,
            "confidence": 0.9 - 0.2 * n,
            "mention_count": 12 - n,
            "first_detected_at": ago(20),
            "last_mentioned_at": ago(n),
        }
        for n, topic in enumerate(["invoices", "night shift", "the second site"])
    ],
    "chart": {
        "points": POINTS,
        "line": "M" + " L".join(f"{p['x']} {p['y']}" for p in POINTS),
        "width": 640,
        "height": 160,
        "grid": [8, 80, 152],
        "first": ago(7),
        "last": ago(0.6),
    },
    "days": 7,
    "spans": [7, 30, 90],
    "here": f"/channels/{CHANNEL}/intelligence?days=7",
    "address": f"/channels/{CHANNEL}/intelligence",
}

QUIET: Context = {
    **READ,
    "mood": {**READ["mood"], "sentiment": "neutral", "score": "+0.00", "sources": []},
    "engagement": {"score": 0, "trend": "stable", "windows": None},
    "chart": None,
    **{name: [] for name in ("people", "responses", "questions", "followups", "topics")},
}

UNREAD: Context = {**QUIET, "mood": {**READ["mood"], "at": None}}

OVERVIEW: Context = {
    **SHELL,
    "worst": [
        {
            "channel_id": CHANNEL,
            "channel_name": "Fjordvik support",
            "sentiment": sentiment,
            "score": "−0.35",
            "reason": READ["mood"]["reason"],
            "last_message_at": NOW,
        }
        for sentiment in ("negative", "mixed")
    ],
    "declining": [
        {
            "channel_id": CHANNEL,
            "channel_name": "Fjordvik support",
            "percent": percent,
            "last_message_at": None if percent else NOW,
        }
        for percent in (57, 0)
    ],
    "unanswered": [
        {
            "channel_id": CHANNEL,
            "channel_name": "Fjordvik support",
            "asked_by": "Henrik Dahl",
            "quote": "When will the invoices be right?",
            "waits": "2 d 4 h",
            "open_questions": 3,
            "url": URL,
        }
    ],
    "topics": [f"channel:{CHANNEL}"],
}

PAGES: dict[str, tuple[str, Context]] = {
    "intelligence-channel": ("intelligence/channel.html", READ),
    "intelligence-quiet": ("intelligence/channel.html", QUIET),
    "intelligence-unread": (
        "intelligence/channel.html",
        {**UNREAD, "channel": {**READ["channel"], "unread": 0}},
    ),
    "intelligence-waiting": ("intelligence/channel.html", UNREAD),
    "intelligence-overview": ("intelligence/index.html", OVERVIEW),
    "intelligence-nothing": (
        "intelligence/index.html",
        {**OVERVIEW, "worst": [], "declining": [], "unanswered": [], "topics": []},
    ),
}
