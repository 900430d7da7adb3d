"""Summaries of nothing, and of far too much."""

from unit.web.templates.contexts.shell import Context, ago
from unit.web.templates.contexts.summary import SOURCES, SUMMARY, line, meeting_id

NOTHING: Context = {
    **SUMMARY,
    "meetings_count": 0,
    "meetings_analyzed": 0,
    "meetings_new": None,
    "quotes_total": 0,
    "cost_usd": None,
    "overview": [],
    "themes": [],
    "people": [],
    "timeline": [],
    "changes": None,
    "unverified": [],
    "sources": [],
    "sections": [
        {"key": key, "lines": []} for key in ("goals", "challenges", "risks", "recommendations")
    ],
}


LONG = (
    "Interkommunalt Vann- og Avløpsselskap for Ytre Hardanger og Omegn "
    "(tidligere Ytre Hardanger Vannverk)"
)


MANY: Context = {
    **SUMMARY,
    "engine": "openai:gpt-4.1-mini",
    "cost_usd": "0.004200",
    "meetings_count": 500,
    "meetings_analyzed": 488,
    "overview": [
        line(
            f"overview.{n}",
            f"{LONG} wants part {n} replaced by something that everyone in every depot can "
            "use without asking.",
            [n + 1],
        )
        for n in range(4)
    ],
    "sections": [
        {
            "key": key,
            "lines": [
                line(
                    f"{key}.{n}",
                    f"{n + 1}. " + "A long line about what was said. " * (1 + n % 7),
                    [1 + n % 10],
                    meetings=n,
                )
                for n in range(30)
            ],
        }
        for key in ("goals", "challenges", "risks")
    ]
    + [{"key": "recommendations", "lines": []}],
    "themes": [
        line(
            f"themes.{n}",
            f"Rettighetsforvaltningssystemoppgradering {n}" if n % 3 == 0 else f"Theme {n}",
            list(range(1, 11)),
            mentions=4000 // (n + 1),
        )
        for n in range(15)
    ],
    "people": [
        {"name": f"{LONG[:40]} {n}", "role": "head of everything that moves", "count": 500 - n}
        for n in range(40)
    ],
    "timeline": [
        {
            "id": meeting_id(n),
            "title": f"Weekly call {n}",
            "at": ago(900 - n),
            "minutes": None if n % 9 == 0 else 5 + n * 7 % 60,
            "is_new": n > 480,
        }
        for n in range(500)
    ],
    "changes": {"new": [], "resolved": [], "gone": []},
    "sources": [
        {
            **SOURCES[n],
            "line_key": f"goals.{n}" if n else None,
            "speaker": None,
            "url": None,
            "offset": None,
            "segment_id": None,
            "quote": SOURCES[n]["quote"] * (1 + 5 * (n % 3)),
        }
        for n in range(10)
    ],
}
