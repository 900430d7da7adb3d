"""Writes the meetings of a QMSum file as meeting items that Tidings imports.

    python benchmarks/qmsum_meetings.py DATA/meetings/qmsum-val.jsonl OUT.jsonl

QMSum (Zhong et al., 2021) marks sounds in braces, `{vocalsound}`, and sets punctuation apart; both
are undone, because a transcript in a product reads without them. Pass `--raw` to keep the text.
"""

import argparse
import json
import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

FIRST = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
WORDS_A_SECOND = 2.5

_SOUND = re.compile(r"\s*\{[a-z]+\}\s*")
_BEFORE = re.compile(r"\s+([.,!?;:%)\]]|'(?:s|m|re|ve|ll|d|t)\b|n't\b)")
_SPACE = re.compile(r"\s+")


def plain(text: str) -> str:
    """The text without sound marks, its punctuation joined to the words."""
    return _SPACE.sub(" ", _BEFORE.sub(r"\1", _SOUND.sub(" ", text))).strip()


def address(name: str) -> str:
    """The part of an address before the @ that one speaker always gets."""
    return re.sub(r"[^a-z0-9]+", ".", name.lower()).strip(".")[:60] or "unknown"


def item(number: int, meeting: dict[str, Any], company: str, *, raw: bool) -> dict[str, Any]:
    """One QMSum meeting in Fathom's item shape, a week after the one before."""
    start = FIRST + timedelta(weeks=number)
    seconds = 0.0
    transcript = []
    for turn in meeting["meeting_transcripts"]:
        text = turn["content"] if raw else plain(turn["content"])
        at = int(seconds)
        seconds += 1 + len(text.split()) / WORDS_A_SECOND
        transcript.append(
            {
                "speaker": {"display_name": turn["speaker"]},
                "text": text,
                "timestamp": f"{at // 3600:02}:{at // 60 % 60:02}:{at % 60:02}",
            }
        )
    speakers = sorted({turn["speaker"] for turn in meeting["meeting_transcripts"]})
    topics = [topic["topic"] for topic in meeting["topic_list"]]
    return {
        "recording_id": 1_000_000 + number,
        "title": topics[0] if topics else f"Meeting {number + 1}",
        "created_at": start.isoformat(),
        "recording_start_time": start.isoformat(),
        "recording_end_time": (start + timedelta(seconds=int(seconds) + 1)).isoformat(),
        "calendar_invitees": [
            {"name": name, "email": f"{address(name)}@{company}", "is_external": True}
            for name in speakers
        ],
        "transcript": transcript,
    }


def main() -> int:
    """Convert one file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--company", default="qmsum.example")
    parser.add_argument("--raw", action="store_true")
    arguments = parser.parse_args()
    lines = arguments.source.read_text("utf-8").splitlines()
    items = [
        item(number, json.loads(line), arguments.company, raw=arguments.raw)
        for number, line in enumerate(lines)
    ]
    arguments.target.write_text("".join(json.dumps(one) + "\n" for one in items), "utf-8")
    print(f"{len(items)} meetings written to {arguments.target}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
