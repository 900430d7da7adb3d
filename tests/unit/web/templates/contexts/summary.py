"""One summary of a company met fourteen times."""

from decimal import Decimal
from typing import Any

from unit.web.templates.contexts.shell import NOW, RUN, Context, ago

TITLES = [
    "Kick-off in Bergen",
    "Depot walk-through",
    "Data review",
    "Planning the pilot",
    "Weekly call",
    "Weekly call",
    "Union briefing",
    "Weekly call",
    "Procurement questions",
    "Weekly call",
    "Pilot, first results",
    "Weekly call",
    "Steering group",
    "Handover of the night shift",
]


MINUTES = [52, 95, 40, 48, 22, 18, 61, 25, 44, 20, 58, 24, 70, 63]


def meeting_id(index: int) -> str:
    """The id of the meeting at that place."""
    return f"0199f0aa-2222-7000-8000-{index:012d}"


def source(number: int, quote: str, speaker: str, at: int, offset: str, key: str) -> Context:
    """One source, as a numbered end note shows it."""
    return {
        "number": number,
        "quote": quote,
        "speaker": speaker,
        "meeting_id": meeting_id(at),
        "meeting_title": TITLES[at],
        "meeting_at": ago(196 - 14 * at),
        "segment_id": f"0199f0aa-3333-7000-8000-{number:012d}",
        "offset": offset,
        "url": f"https://fathom.video/calls/{700 + at}?timestamp={60 * number}",
        "line_key": key,
    }


def line(key: str, text: str, sources: list[int], **more: Any) -> Context:
    """One line of a summary."""
    return {
        "key": key,
        "text": text,
        "sources": sources,
        "original": None,
        "is_new": False,
        "meetings": 1,
        "hidden": False,
        "edited_by": None,
        "edited_at": None,
        "conflict_text": None,
        **more,
    }


SOURCES = [
    source(
        1,
        "We have to be out of paper before the winter timetable starts on the fourteenth.",
        "Solveig Aune",
        0,
        "00:04:12",
        "overview.0",
    ),
    source(
        2,
        "The price is fine. What keeps me awake is the night shift: nobody has asked them.",
        "Henrik Dahl",
        8,
        "00:19:55",
        "overview.1",
    ),
    source(
        3,
        "On a Sunday night there is one person on the depot for four tracks. If the "
        "tablet dies, the train stays.",
        "Marit Lien",
        13,
        "00:31:07",
        "overview.1",
    ),
    source(
        4,
        "From November it is my signature, not Henrik’s.",
        "Solveig Aune",
        12,
        "00:02:40",
        "overview.2",
    ),
    source(
        5,
        "If a fitter has to take his gloves off to report a crack, he will report it at "
        "the end of the shift, and by then it is a different crack.",
        "Marit Lien",
        13,
        "00:23:41",
        "goals.1",
    ),
    source(
        6,
        "Half of what we reopen is a part that was written down wrong, so let’s say we "
        "halve that by spring.",
        "Jonas Berg",
        10,
        "00:12:18",
        "goals.2",
    ),
    source(
        7,
        "The wheel database in Oslo and ours have not agreed since the merger.",
        "Jonas Berg",
        2,
        "00:08:59",
        "challenges.0",
    ),
    source(
        8,
        "Who owns the part numbers? I don’t. I thought you did.",
        "Henrik Dahl",
        9,
        "00:11:02",
        "challenges.1",
    ),
    source(
        9,
        "The switch falls in the week of the safety audit; that is not a week to learn "
        "something new.",
        "Solveig Aune",
        12,
        "00:44:30",
        "risks.0",
    ),
    source(
        10,
        "I would run one depot on both for a fortnight and compare.",
        "Marit Lien",
        13,
        "00:52:16",
        "recommendations.0",
    ),
]


SUMMARY: Context = {
    "run_id": RUN,
    "engine": "local",
    "completed_at": NOW,
    "meetings_count": 14,
    "meetings_analyzed": 14,
    "meetings_new": 1,
    "quotes_total": 31,
    "cost_usd": Decimal("0.000000"),
    "overview": [
        line(
            "overview.0",
            "Fjordvik wants its depots off paper before the winter timetable starts on 14 "
            "December.",
            [1],
        ),
        line(
            "overview.1",
            "Price is settled; what holds the decision is whether the night shift can work "
            "with it alone.",
            [2, 3],
        ),
        line("overview.2", "Since November Solveig Aune decides.", [4]),
    ],
    "sections": [
        {
            "key": "goals",
            "lines": [
                line(
                    "goals.0", "Every depot off paper before the winter timetable", [1], meetings=5
                ),
                line(
                    "goals.1",
                    "A fitter reports a crack with gloves on, within a minute",
                    [5],
                    is_new=True,
                ),
                line(
                    "goals.2",
                    "Half as many reopened jobs by spring",
                    [6],
                    original="Half of what we reopen is a part that was written down wrong, "
                    "so let’s say we halve that by spring.",
                    edited_by="Ada Sorensen",
                    edited_at=ago(0.1),
                ),
            ],
        },
        {
            "key": "challenges",
            "lines": [
                line(
                    "challenges.0",
                    "The wheel records of Bergen and Oslo have disagreed since the merger",
                    [7, 2],
                    meetings=6,
                ),
                line("challenges.1", "No one owns the part numbers", [8]),
                line("challenges.2", "An aside about parking", [8], hidden=True),
            ],
        },
        {
            "key": "risks",
            "lines": [line("risks.0", "The switch falls in the week of the safety audit", [9])],
        },
        {
            "key": "recommendations",
            "lines": [
                line(
                    "recommendations.0",
                    "Run one depot on both systems for a fortnight and compare",
                    [10],
                    is_new=True,
                ),
            ],
        },
    ],
    "themes": [
        line("themes.0", "Night shift", [3, 5, 2, 10, 9, 8], mentions=23),
        line("themes.1", "Wheel records", [7], mentions=17),
        line("themes.2", "Gloves and tablets", [5], mentions=11, is_new=True),
        line("themes.3", "Part numbers", [8], mentions=7),
    ],
    "people": [
        {"name": "Solveig Aune", "role": "operations", "count": 6},
        {"name": "Henrik Dahl", "role": "finance", "count": 13},
        {"name": "Jonas Berg", "role": "IT", "count": 9},
        {"name": "Marit Lien", "role": "", "count": 1},
    ],
    "timeline": [
        {
            "id": meeting_id(at),
            "title": title,
            "at": ago(196 - 14 * at),
            "minutes": MINUTES[at],
            "is_new": at == 13,
        }
        for at, title in enumerate(TITLES)
    ],
    "changes": {
        "new": [{"list": "goals", "text": "reporting with gloves on", "sources": [5]}],
        "resolved": [{"list": "challenges", "text": "price", "sources": [2]}],
        "gone": [{"list": "themes", "text": "on-site servers", "sources": []}],
    },
    "unverified": [
        {"list": "goals", "text": "Open a new depot in Stavanger"},
        {"list": "risks", "text": "The supplier may stop making the tablet"},
    ],
    "sources": SOURCES,
}
