"""Work grows with what is new: each meeting is read once, and what changed is told."""

from collections.abc import Callable
from typing import Any

import pytest

from acceptance.answers import is_reading
from acceptance.product import MODEL, Customer, Product
from tidings.ai.testing import FakeProvider

from factories.meetings import SAID, meeting

DOMAIN = "acme.example"
LISTS = ("goals", "challenges", "risks", "recommendations")
NEW_GOAL = "Our goal is to open the second warehouse in Lisbon before the summer holidays start."
NEW_RISK = "There is a real risk that the Lisbon landlord cancels the lease before we move in."


@pytest.fixture
def customer(ai_customer: Customer) -> Customer:
    return ai_customer


@pytest.fixture
def readings(provider: FakeProvider) -> Callable[[], int]:
    """How many meetings the provider has read since this was asked last."""
    seen = len(provider.asked)

    def since_then() -> int:
        nonlocal seen
        new, seen = provider.asked[seen:], len(provider.asked)
        return len([ask for ask in new if is_reading(ask)])

    return since_then


@pytest.mark.parametrize(("engine", "known"), [("local", 12), (MODEL, 4)])
async def test_one_more_meeting_costs_one_more_reading(
    customer: Customer, engine: str, known: int
) -> None:
    await customer.capture(*(meeting(n) for n in range(known)))
    first = await customer.summarise(DOMAIN, engine=engine)
    assert (first["status"], first["meetings_read"]) == ("complete", known)
    again = await customer.summarise(DOMAIN, engine=engine)
    assert again["meetings_read"] == 0
    assert again["summary"] == first["summary"]
    await customer.capture(meeting(known))
    more = await customer.summarise(DOMAIN, engine=engine)
    assert (more["meetings_read"], more["summary"]["meetings_count"]) == (1, known + 1)


async def test_each_meeting_is_asked_about_once(
    customer: Customer, readings: Callable[[], int], provider: FakeProvider
) -> None:
    await customer.capture(*(meeting(n) for n in range(4)))
    await customer.complete(DOMAIN, engine=MODEL)
    assert readings() == 4
    asked = len(provider.asked)
    await customer.complete(DOMAIN, engine=MODEL)
    assert readings() == 0
    assert len(provider.asked) == asked  # nor is the same reduced again
    await customer.capture(meeting(4), meeting(0))
    await customer.complete(DOMAIN, engine=MODEL)
    assert readings() == 1
    # Another engine, or another prompt, reads for itself.
    await customer.complete(DOMAIN, engine="local")
    assert readings() == 0


async def test_only_what_changed_is_read_again(
    ai_product: Product, customer: Customer, readings: Callable[[], int]
) -> None:
    await customer.capture(*(meeting(n) for n in range(3)))
    await customer.complete(DOMAIN, engine=MODEL)
    before = await findings(ai_product, customer)
    assert readings() == 3
    changed = await customer.capture(meeting(1, said=[*SAID, ("Bo", NEW_GOAL)]), meeting(2))
    assert (changed["updated"], changed["unchanged"]) == (1, 1)
    summary = await customer.complete(DOMAIN, engine=MODEL)
    assert readings() == 1
    assert f"Stated: {NEW_GOAL}" in summary["goals"]
    after = await findings(ai_product, customer)
    assert set(before) == set(after)
    assert len([key for key in before if before[key] != after[key]]) == 1


async def test_a_link_alone_changes_nothing_that_is_read(
    customer: Customer, readings: Callable[[], int]
) -> None:
    await customer.capture(meeting(1))
    await customer.complete(DOMAIN, engine=MODEL)
    assert readings() == 1
    moved = await customer.capture(meeting(1, url="https://video.example/elsewhere"))
    assert moved["updated"] == 1
    await customer.complete(DOMAIN, engine=MODEL)
    assert readings() == 0


async def findings(product: Product, customer: Customer) -> dict[Any, Any]:
    rows = await product.look(
        "SELECT meeting_id, created_at FROM tidings.meeting_findings WHERE organization_id = %s",
        customer.organization.organization_id,
    )
    return {row["meeting_id"]: row["created_at"] for row in rows}


@pytest.mark.parametrize("engine", ["local", MODEL])
async def test_changes_against_the_previous_complete_run(customer: Customer, engine: str) -> None:
    await customer.capture(meeting(1))
    first = await customer.complete(DOMAIN, engine=engine)
    assert first["changes"] == {"new": [], "resolved": [], "gone": []}
    failed = await customer.summarise(DOMAIN, sync=True)
    assert failed["status"] == "error"
    await customer.capture(meeting(2, said=[*SAID, ("Ana", NEW_GOAL), ("Bo", NEW_RISK)]))
    second = await customer.complete(DOMAIN, engine=engine)
    new = {(change["list"], change["text"]) for change in second["changes"]["new"]}
    said = "{}" if engine == "local" else "Stated: {}"
    assert ("risks", said.format(NEW_RISK)) in new
    for change in second["changes"]["new"]:
        lines = second[change["list"]]
        assert change["text"] in [t["topic"] if isinstance(t, dict) else t for t in lines]
        assert change["evidence"]
    known = {line for name in LISTS for line in first[name]}
    assert not known & {text for _, text in new}

    (newest, _) = await customer.meetings(DOMAIN)
    assert (await customer.http.delete(f"/v1/meetings/{newest['id']}")).status_code == 204
    third = await customer.complete(DOMAIN, engine=engine)
    gone = {(change["list"], change["text"]) for change in third["changes"]["gone"]}
    assert ("risks", said.format(NEW_RISK)) in gone
    # What the longer lists had no room for may come back; nothing is new that was never there.
    back = {change["text"] for change in third["changes"]["new"]}
    assert back <= known | {theme["topic"] for theme in first["themes"]}
    company = (await customer.http.get(f"/v1/companies/{DOMAIN}")).json()
    assert company["changes"] == third["changes"]
    assert [each["status"] for each in company["history"]] == [
        "complete", "complete", "error", "complete",
    ]  # fmt: skip


async def test_what_a_decision_settles_is_resolved(customer: Customer) -> None:
    risk = "There is a risk that the nightly warehouse export arrives late."
    await customer.capture(meeting(1, said=[("Bo", risk)]))
    assert (await customer.complete(DOMAIN, engine=MODEL))["risks"] == [f"Stated: {risk}"]
    decision = "We decided that the nightly warehouse export arrives hourly, never late."
    # The risk is not stated any more, and the decision speaks of the same things.
    await customer.capture(meeting(1, said=[("Bo", "All is calm.")]))
    await customer.capture(meeting(2, said=[("Ana", decision)]))
    changes = (await customer.complete(DOMAIN, engine=MODEL))["changes"]
    assert [(c["list"], c["text"]) for c in changes["resolved"]] == [("risks", f"Stated: {risk}")]
    assert changes["resolved"][0]["evidence"][0]["quote"] == decision
    assert [c["list"] for c in changes["gone"]] in ([], ["themes"])


async def test_a_record_deleted_during_the_run_stays_deleted(
    customer: Customer, provider: FakeProvider
) -> None:
    await customer.capture(meeting(1))
    provider.gate.clear()
    before = len(provider.asked)
    run_id = await customer.start(DOMAIN, engine=MODEL)
    await provider.wait_for(before + 1)
    deleted = await customer.http.delete(f"/v1/kv/engagement:{DOMAIN}:{run_id}")
    assert deleted.status_code == 204
    provider.gate.set()
    assert await customer.ended(run_id) == "complete"
    assert await customer.records(DOMAIN, run_id) == []
