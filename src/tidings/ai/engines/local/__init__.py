"""The offline engine: sourced findings of a meeting, and one draft of all meetings of a company.

Pure functions: no input or output, no clock, the same answer for the same text. English only.
"""

from tidings.ai.engines.local.read import read_meeting
from tidings.ai.engines.local.reading import (
    Draft,
    Evidence,
    Finding,
    Highlight,
    Item,
    Kind,
    MeetingReading,
    Mention,
    Phrase,
    Reading,
    Theme,
    Utterance,
)
from tidings.ai.engines.local.reduce import reduce_meetings

__all__ = [
    "Draft",
    "Evidence",
    "Finding",
    "Highlight",
    "Item",
    "Kind",
    "MeetingReading",
    "Mention",
    "Phrase",
    "Reading",
    "Theme",
    "Utterance",
    "read_meeting",
    "reduce_meetings",
]
