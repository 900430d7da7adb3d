"""A summary of meetings that are still at Fathom."""

import pytest

from acceptance.product import Customer
from tidings.meetings.testing import FakeFathom, limited, status

from factories.meetings import meeting

DOMAIN = "acme.example"


@pytest.fixture
async def synced(customer: Customer, fathom: FakeFathom) -> Customer:
    """A customer with a Fathom key; the account is this test's."""
    stored = await customer.http.post(
        "/v1/secrets", json={"name": "fathom_api_key", "value": fathom.api_key}
    )
    assert stored.status_code == 200
    fathom.meetings = [meeting(n, page) for page in (DOMAIN, "other.example") for n in range(12)]
    for number, each in enumerate(fathom.meetings):
        fathom.meetings[number] = {**each, "recording_id": 1000 + number}
    fathom.calls.clear()
    return customer


async def test_a_run_fetches_the_companys_meetings_first(
    synced: Customer, fathom: FakeFathom
) -> None:
    summary = await synced.complete(DOMAIN)
    assert (summary["meetings_count"], summary["meetings_analyzed"]) == (12, 12)
    assert len(fathom.calls) == 2  # two pages of ten
    assert {call.query["calendar_invitees_domains[]"][0] for call in fathom.calls} == {DOMAIN}
    assert {each["source"] for each in await synced.meetings(DOMAIN)} == {"fathom"}
    assert await synced.meetings("other.example") == []


async def test_a_fresh_sync_is_not_repeated_unless_asked_for(
    synced: Customer, fathom: FakeFathom
) -> None:
    await synced.complete(DOMAIN)
    fathom.meetings.append(meeting(5000, DOMAIN, day=300))
    calls = len(fathom.calls)
    assert (await synced.complete(DOMAIN))["meetings_count"] == 12
    assert (await synced.complete(DOMAIN, sync=False))["meetings_count"] == 12
    assert len(fathom.calls) == calls
    again = await synced.summarise(DOMAIN, sync=True)
    assert again["summary"]["meetings_count"] == 13
    # From where the last one stood, a second earlier: the newest known comes again, unchanged.
    assert "created_after" in fathom.calls[-1].query
    assert (len(fathom.calls) - calls, again["meetings_read"]) == (1, 1)


async def test_nothing_is_fetched_when_it_is_not_wanted(
    synced: Customer, fathom: FakeFathom
) -> None:
    assert (await synced.complete(DOMAIN, sync=False))["meetings_count"] == 0
    assert fathom.calls == []


@pytest.mark.parametrize("failure", [limited(0), status(500)])
async def test_fathom_may_stumble(synced: Customer, fathom: FakeFathom, failure: object) -> None:
    fathom.script(failure)  # type: ignore[arg-type]
    assert (await synced.complete(DOMAIN))["meetings_count"] == 12


async def test_an_empty_account_is_an_empty_summary(synced: Customer, fathom: FakeFathom) -> None:
    fathom.meetings = []
    assert (await synced.complete(DOMAIN, sync=True))["meetings_count"] == 0
