"""Companies as lists show them."""

from collections.abc import Mapping, Sequence
from typing import Any

from tidings.engagement.companies import CompanyState
from tidings.meetings.read import CompanyRow


def company_rows(
    found: Sequence[CompanyRow], states: Mapping[str, CompanyState]
) -> list[dict[str, Any]]:
    """The rows of `lists.companies`, with the state of each company's newest summary."""
    rows = []
    for row in found:
        state = states.get(row.domain)
        rows.append(
            {
                "domain": row.domain,
                "name": row.domain,
                "meetings_count": row.meetings_count,
                "last_meeting_at": row.last_meeting_at,
                "summary_status": state.status if state else "none",
                "summary_at": state.updated_at if state else None,
            }
        )
    return rows
