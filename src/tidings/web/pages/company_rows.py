"""Companies as lists show them."""

from collections.abc import Sequence
from typing import Any

from tidings.engagement.companies import company_states
from tidings.meetings.read import CompanyRow
from tidings.tenancy.access import Access
from tidings.web.services import Services


async def company_rows(
    services: Services, access: Access, found: Sequence[CompanyRow]
) -> list[dict[str, Any]]:
    """The rows of `lists.companies`, with the state of each company's newest summary."""
    states = await company_states(services.db, access.tenant, [row.domain for row in found])
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
