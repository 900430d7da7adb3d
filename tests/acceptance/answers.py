"""What a good model answers to the two operations of an engagement summary."""

import re
from typing import Any

from tidings.ai.testing import Ask

_SAID = re.compile(r"^\[(\d+)\] [^:(]+(?: \([\d:]+\))?: (.*)$", re.MULTILINE)
_FINDING = re.compile(r"^\[(\d+)\] (\w+), [\d-]+: (.*)$", re.MULTILINE)
_TOPIC = re.compile(r"^\(t(\d+)\) (.*): \d+ mentions$", re.MULTILINE)

CUES = {
    "goal": "goal",
    "challenge": "challenge",
    "risk": "risk",
    "recommend": "recommendation",
    "decided": "decision",
}
LISTS = {
    "goal": "goals",
    "challenge": "challenges",
    "risk": "risks",
    "recommendation": "recommendations",
    "decision": "decisions",
}


def is_reading(ask: Ask) -> bool:
    """Whether one meeting is to be read; else all readings are to be reduced."""
    return "findings" in ask.schema["properties"]


def answer(ask: Ask) -> dict[str, Any]:
    return read(ask) if is_reading(ask) else reduce(ask)


def read(ask: Ask) -> dict[str, Any]:
    """A finding for every cue, each in the utterance's own words."""
    findings, numbers = [], []
    for number, text in _SAID.findall(ask.source):
        numbers.append(int(number))
        findings += [
            {"kind": kind, "text": f"Stated: {text}", "segment": int(number), "quote": text}
            for cue, kind in CUES.items()
            if cue in text
        ]
    return {
        "findings": findings,
        "topics": [{"topic": "Rollout", "segments": numbers}] if numbers else [],
    }


def reduce(ask: Ask) -> dict[str, Any]:
    """Each finding as a line, the first one as the overview."""
    found: dict[str, list[dict[str, Any]]] = {}
    for number, kind, text in _FINDING.findall(ask.source):
        found.setdefault(LISTS[kind], []).append({"text": text, "sources": [int(number)]})
    lines: dict[str, Any] = {name: entries[:8] for name, entries in found.items()}
    first = [line for entries in found.values() for line in entries][:1]
    topics = [{"name": name, "topics": [int(n)]} for n, name in _TOPIC.findall(ask.source)]
    return {**lines, "overview": first, "themes": topics[:10]}
