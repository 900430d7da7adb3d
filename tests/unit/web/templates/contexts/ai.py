"""What AI may do, what it cost, and what left."""

from datetime import date
from decimal import Decimal

from unit.web.templates.contexts.shell import NOW, SHELL, Context, ago


def spent(key: str, cost: str, calls: int, failed: int = 0) -> Context:
    """A sum of calls."""
    return {
        "key": key,
        "calls": calls,
        "failed": failed,
        "prompt_tokens": 1_234_567,
        "completion_tokens": 45_678,
        "cached_tokens": 1_000,
        "cost": Decimal(cost),
    }


def budget(period: str, limit: str | None, settled: float, held: float) -> Context:
    """A budget of which a part is spent, and a part of the rest held for calls under way."""
    return {
        "period": period,
        "name": {"day": "Today", "month": "This month"}[period],
        "limit": limit,
        "typed": limit or "",
        "settled": Decimal("1.204"),
        "reserved": Decimal("0.25") if held > settled else Decimal(0),
        "resets_at": ago(-1),
        "settled_percent": settled,
        "held_percent": held,
    }


AI: Context = {
    **SHELL,
    "form": {"ai_mode": "provider", "engine": "", "redaction": True},
    "default_engine": "local",
    "budgets": [budget("day", "5", 24.1, 29.1), budget("month", None, 0.0, 0.0)],
    "errors": {},
    "total": spent("", "12.3456", 321, 4),
    "days": [
        {"day": date(2025, 11, 19), "cost": Decimal(0), "share": 0.0},
        {"day": date(2025, 11, 20), "cost": Decimal("12.3456"), "share": 100.0},
    ],
    "operations": [
        {"sum": spent("engagement.read", "10.1", 200, 4), "share": 100.0},
        {"sum": spent("engagement.gather", "2.2456", 121), "share": 22.2},
    ],
    "engines": [{"sum": spent("openai:gpt-5-mini", "12.3456", 321, 4), "share": 100.0}],
    "left": [
        {
            "sent_at": NOW,
            "destination": "models.lindqvist.example",
            "operation": "engagement.read",
            "engine": "openai:gpt-5-mini",
            "bytes": 48_120,
            "redacted": {"email": 2, "phone": 1},
        },
        {
            "sent_at": ago(1),
            "destination": "models.lindqvist.example",
            "operation": "engagement.gather",
            "engine": "openai:gpt-5-mini",
            "bytes": 900,
            "redacted": {},
        },
    ],
    "next_url": "/settings/ai?cursor=x",
    "first_url": None,
}


UNUSED: Context = {
    **AI,
    "budgets": [budget("day", None, 0.0, 0.0), budget("month", None, 0.0, 0.0)],
    "total": spent("", "0", 0),
    "operations": [],
    "engines": [],
    "left": [],
    "next_url": None,
}


PAGES: dict[str, tuple[str, Context]] = {
    "ai": ("ai/index.html", AI),
    "ai-later-page": ("ai/index.html", {**AI, "first_url": "/settings/ai", "next_url": None}),
    "ai-unused": ("ai/index.html", UNUSED),
    "ai-errors": (
        "ai/index.html",
        {
            **AI,
            "form": {"ai_mode": "sometimes", "engine": "nobody:x", "redaction": False},
            "errors": {
                "ai_mode": "Choose one of the three.",
                "engine": "There is no engine nobody:x.",
                "day": "must be an amount in USD",
                "month": "must be an amount in USD",
            },
        },
    ),
}
