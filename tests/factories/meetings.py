"""Meetings in Fathom's item shape, as callers send them."""

from collections.abc import Sequence
from typing import Any

Item = dict[str, Any]

SAID = (
    ("Ana", "Morning everyone, thanks for making the time to go through the rollout plan today."),
    ("Bo", "Our goal is to cut the manual reporting time in half before the end of the quarter."),
    ("Ana", "The biggest challenge is that the finance team still works from three spreadsheets."),
    ("Bo", "There is a real risk that the migration slips if the data export is late again."),
    ("Ana", "I would recommend that you start with one warehouse and measure the reporting time."),
    ("Bo", "We decided to begin the pilot with the Bremen warehouse in the first week of May."),
)


def meeting(
    number: int,
    domain: str = "acme.example",
    *,
    said: Sequence[tuple[str, str]] = SAID,
    day: int | None = None,
    people: Sequence[str] = ("Bo Berg",),
    **fields: Any,
) -> Item:
    """One meeting with `people` of the company and Ana of ours; `day` of 2026 from the number."""
    month, monthday = divmod((number if day is None else day) % 336, 28)
    at = f"2026-{month + 1:02}-{monthday + 1:02}"
    return {
        "recording_id": number,
        "title": f"Call {number} with {domain}",
        "created_at": f"{at}T10:00:00Z",
        "recording_start_time": f"{at}T09:00:00Z",
        "recording_end_time": f"{at}T09:30:00Z",
        "share_url": f"https://video.example/share/{number}",
        "calendar_invitees": [
            _invitee("Ana Adler", "ours.example", is_external=False),
            *(_invitee(name, domain, is_external=True) for name in people),
        ],
        "transcript": [
            {"speaker": {"display_name": who}, "text": text, "timestamp": f"00:{n:02}:05"}
            for n, (who, text) in enumerate(said)
        ],
    } | fields


def utterances(*texts: str) -> list[tuple[str, str]]:
    """What two people say in turns."""
    return [("Ana" if n % 2 == 0 else "Bo", text) for n, text in enumerate(texts)]


def _invitee(name: str, domain: str, *, is_external: bool) -> Item:
    return {
        "name": name,
        "email": f"{name.lower().replace(' ', '.')}@{domain}",
        "email_domain": domain,
        "is_external": is_external,
        "matched_speaker_display_name": name.split()[0],
    }
