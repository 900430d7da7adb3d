"""What every page is given, and the moments and runs the others use."""

from datetime import UTC, datetime, timedelta
from typing import Any

Context = dict[str, Any]


NOW = datetime(2025, 11, 20, 18, 40, tzinfo=UTC)


RUN = "0199f0aa-1111-7000-8000-000000000001"


def ago(days: float) -> datetime:
    """A moment that many days before NOW."""
    return NOW - timedelta(days=days)


SHELL: Context = {
    "user": {
        "name": "Ada Sorensen",
        "email": "ada@lindqvist.example",
        "is_admin": True,
        "may_write": True,
    },
    "organization": {"name": "Lindqvist Consulting"},
    "csrf_token": "token-of-this-session",
    "theme": "auto",
    "flashes": [],
    "asset_version": "0.1.0",
}


SIGNED_OUT: Context = {**SHELL, "user": None, "organization": None}


def run(
    status: str, stage: str = "", done: int = 0, total: int = 0, error: str | None = None
) -> Context:
    """A run in that state."""
    return {
        "id": RUN,
        "status": status,
        "progress": {"stage": stage, "done": done, "total": total},
        "error": error,
        "created_at": NOW,
    }
