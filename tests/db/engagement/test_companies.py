"""A company as a whole, before, during and after its summaries."""

from typing import Any
from uuid import UUID

import pytest

from tidings.base.cursor import Page
from tidings.base.errors import CursorInvalid, DomainInvalid, RoleForbidden, RowMissing
from tidings.base.settings import Settings
from tidings.base.tenant import Tenant
from tidings.db.transaction import Database
from tidings.engagement.companies import company_states, find_company, get_company
from tidings.engagement.record import record_key
from tidings.engagement.start import Started, StartRequest, acting, get_record, start
from tidings.meetings.capture import capture, decode_items
from tidings.meetings.read import delete_meeting, list_companies, list_meetings
from tidings.queue.runs import cancel_run

from factories.meetings import meeting
from factories.organizations import Organization

DOMAIN = "acme.example"


async def take(db: Database, tenant: Tenant, *raw: dict[str, Any]) -> None:
    items, errors = decode_items(raw)
    assert errors == []
    await capture(db, tenant, "api", items)


async def begin(db: Database, settings: Settings, tenant: Tenant, domain: str) -> Started:
    async with db.tenant_transaction(acting(tenant)) as transaction:
        return await start(transaction, settings, StartRequest(domain=domain))


async def test_a_company_that_nobody_met(db: Database, organization: Organization) -> None:
    with pytest.raises(RowMissing):
        await get_company(db, organization.tenant, DOMAIN)
    with pytest.raises(DomainInvalid):
        await get_company(db, organization.tenant, "no domain")
    company = await find_company(db, organization.tenant, DOMAIN)
    assert (company.meetings_count, company.latest, company.history) == (0, None, [])


async def test_people_and_timeline_without_a_summary(
    db: Database, organization: Organization, other_organization: Organization
) -> None:
    await take(
        db,
        organization.tenant,
        meeting(2, people=("Bo Berg", "Cem Can")),
        meeting(1, people=("Bo Berg",), share_url=None, url="https://video.example/calls/1"),
        meeting(3, "sub.acme.example"),
    )
    company = await get_company(db, organization.tenant, "https://www.ACME.example/")
    assert (company.domain, company.meetings_count) == (DOMAIN, 2)
    assert [(p.name, p.count) for p in company.people] == [("Bo Berg", 2), ("Cem Can", 1)]
    assert [m.title for m in company.meetings] == [f"Call {n} with {DOMAIN}" for n in (1, 2)]
    assert [m.url for m in company.meetings] == [
        "https://video.example/calls/1",
        "https://video.example/share/2",
    ]
    assert company.meetings[0].duration_seconds == 1800
    with pytest.raises(RowMissing):
        await get_company(db, other_organization.tenant, DOMAIN)


async def test_one_person_is_one_address_whatever_its_spelling(
    db: Database, organization: Organization
) -> None:
    first, second, third = meeting(1), meeting(2), meeting(3)
    second["calendar_invitees"][1] |= {"email": "BO.BERG@Acme.example", "name": "Bo A. Berg"}
    third["calendar_invitees"][1] |= {"name": None, "matched_speaker_display_name": None}
    third["calendar_invitees"].append({"name": "Nobody", "email": None})
    await take(db, organization.tenant, first, second, third)
    company = await get_company(db, organization.tenant, DOMAIN)
    assert [(p.name, p.count) for p in company.people] == [("Bo A. Berg", 3)]


async def test_a_person_without_a_name_is_called_by_the_address(
    db: Database, organization: Organization
) -> None:
    raw = meeting(1)
    raw["calendar_invitees"][1] |= {"name": "", "matched_speaker_display_name": None}
    await take(db, organization.tenant, raw)
    company = await get_company(db, organization.tenant, DOMAIN)
    assert [p.name for p in company.people] == ["bo.berg"]


async def test_states_are_those_of_the_newest_runs(
    db: Database, settings: Settings, organization: Organization, other_organization: Organization
) -> None:
    tenant = organization.tenant
    first = await begin(db, settings, tenant, DOMAIN)
    again = await begin(db, settings, tenant, DOMAIN)
    assert (first.created, again.created) == (True, False)
    assert first.run_id == again.run_id
    await begin(db, settings, tenant, "b.example")
    domains = [DOMAIN, "b.example", "c.example"]
    states = await company_states(db, tenant, domains)
    assert {d: s.status for d, s in states.items()} == dict.fromkeys(domains[:2], "processing")
    assert states[DOMAIN].run_id == first.run_id
    await cancel_run(db, tenant, first.run_id)
    states = await company_states(db, tenant, domains)
    assert states[DOMAIN].status == "error"
    assert await company_states(db, other_organization.tenant, domains) == {}
    assert await company_states(db, tenant, []) == {}


async def test_a_cancelled_run_is_in_the_history_and_not_the_latest(
    db: Database, settings: Settings, organization: Organization
) -> None:
    tenant = organization.tenant
    started = await begin(db, settings, tenant, DOMAIN)
    await cancel_run(db, tenant, started.run_id)
    company = await get_company(db, tenant, DOMAIN)
    assert company.latest is None
    assert [(h.run_id, h.status, h.error) for h in company.history] == [
        (started.run_id, "error", "The run was cancelled.")
    ]
    record = await get_record(db, tenant, DOMAIN, started.run_id)
    assert record is not None
    assert record.completed_at == record.updated_at


async def test_a_viewer_starts_nothing(organization: Organization) -> None:
    with pytest.raises(RoleForbidden):
        acting(organization.acting("viewer"))


async def test_a_record_of_a_domain_that_looks_alike_is_another(
    db: Database, settings: Settings, organization: Organization
) -> None:
    for domain in ("acme.example", "acme.example.org", "xacme.example"):
        await begin(db, settings, organization.tenant, domain)
    company = await find_company(db, organization.tenant, DOMAIN)
    assert len(company.history) == 1
    run = UUID("0198c7a0-0000-7000-8000-000000000000")
    assert record_key(DOMAIN, run) == f"engagement:acme.example:{run}"


async def test_companies_page_by_page(db: Database, organization: Organization) -> None:
    tenant = organization.tenant
    await take(db, tenant, *(meeting(n, f"company{n % 5}.example") for n in range(12)))
    found: list[str] = []
    cursor = None
    while True:
        page = await list_companies(db, tenant, Page(2, cursor))
        found += [each.domain for each in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert found == [f"company{n}.example" for n in (1, 0, 4, 3, 2)]
    with pytest.raises(CursorInvalid):
        await list_companies(db, tenant, Page(2, "forged"))


async def test_ours_is_no_company_and_a_deleted_one_is_none(
    db: Database, organization: Organization
) -> None:
    tenant = organization.tenant
    await take(db, tenant, meeting(1), meeting(2, "other.example"))
    companies = await list_companies(db, tenant, Page(50, None))
    assert [(c.domain, c.meetings_count) for c in companies.items] == [
        ("other.example", 1), (DOMAIN, 1),
    ]  # fmt: skip
    (only,) = (await list_meetings(db, tenant, Page(50, None), domain=DOMAIN)).items
    await delete_meeting(db, tenant, only.id)
    companies = await list_companies(db, tenant, Page(50, None))
    assert [c.domain for c in companies.items] == ["other.example"]


async def test_a_company_is_dated_by_the_last_meeting_it_still_has(
    db: Database, organization: Organization
) -> None:
    tenant = organization.tenant
    await take(db, tenant, meeting(1), meeting(5), meeting(3, "other.example"))
    newest = (await list_meetings(db, tenant, Page(50, None), domain=DOMAIN)).items[0]
    await delete_meeting(db, tenant, newest.id)
    companies = (await list_companies(db, tenant, Page(50, None))).items
    assert [c.domain for c in companies] == ["other.example", DOMAIN]
    # A meeting that turns out to be with somebody else, and earlier.
    await take(db, tenant, meeting(3, "third.example", day=0))
    companies = (await list_companies(db, tenant, Page(50, None))).items
    assert [c.domain for c in companies] == [DOMAIN, "third.example"]
    await take(db, tenant, meeting(1, day=9))
    companies = (await list_companies(db, tenant, Page(50, None))).items
    assert companies[0].last_meeting_at.day == 10
