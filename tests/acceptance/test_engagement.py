"""Engagement summaries over HTTP: the scenarios of engagement.md, "Must hold"."""

import asyncio
import re
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from acceptance.product import Customer, Product

from factories.meetings import SAID, meeting, utterances

LISTS = ("goals", "challenges", "risks", "recommendations")
RECORD = {
    "domain", "run_id", "status", "summary", "error", "created_at", "updated_at", "progress",
    "engine", "started_at", "completed_at",
}  # fmt: skip
SUMMARY = {
    "meetings_count", "people", "themes", *LISTS, "meetings_analyzed", "first_meeting_at",
    "last_meeting_at", "overview", "evidence", "unverified", "changes",
}  # fmt: skip


def normalised(text: str) -> str:
    return " ".join(text.split())


async def check_evidence(customer: Customer, domain: str, summary: dict[str, Any]) -> int:
    """Every line has evidence that stands verbatim where it says; how many quotes there are."""
    meetings = {each["id"]: each for each in await customer.meetings(domain)}
    evidence = summary["evidence"]
    assert set(evidence) == {"overview", "themes", *LISTS}
    for name in ("themes", *LISTS):
        assert len(evidence[name]) == len(summary[name]), name
    assert len(evidence["overview"]) == len(summary["overview_sentences"])
    quotes = 0
    for found in (one for entries in evidence.values() for one in entries):
        assert found
        for one in found:
            assert set(one) == {"meeting_id", "segment_id", "quote", "at", "url"}
            segments = {s["id"]: s for s in meetings[one["meeting_id"]]["segments"]}
            segment = segments[one["segment_id"]]
            assert normalised(one["quote"]) in normalised(segment["text"])
            assert one["at"] == segment["at"]
            assert one["url"].startswith(meetings[one["meeting_id"]]["share_url"])
            quotes += 1
    return quotes


async def test_the_happy_path(customer: Customer) -> None:
    await customer.capture(
        meeting(1, people=("Bo Berg", "Cem Can")),
        meeting(2),
        meeting(3, said=utterances(*(text for _, text in SAID[1:]))),
        meeting(4, domain="other.example"),
    )
    answer = await customer.http.post("/v1/engagement-summary", json={"domain": "acme.example"})
    assert answer.status_code == 202
    run_id = answer.json()["run_id"]
    assert UUID(run_id).version == 7
    assert answer.json() == {
        "ok": True, "domain": "acme.example", "run_id": run_id, "status": "processing",
    }  # fmt: skip
    first = await customer.record("acme.example", run_id)
    assert set(first) >= RECORD
    assert first["status"] in ("processing", "complete")

    assert await customer.ended(run_id) == "complete"
    record = await customer.record("acme.example", run_id)
    assert set(record) >= RECORD
    assert (record["domain"], record["run_id"]) == ("acme.example", run_id)
    assert (record["status"], record["error"], record["engine"]) == ("complete", None, "local")
    assert record["created_at"] == first["created_at"]
    assert record["created_at"] <= record["started_at"] <= record["completed_at"]
    assert record["updated_at"] == record["completed_at"]
    assert record["progress"] == {"stage": "done", "done": 1, "total": 1}
    assert record["cost"] == "0.000000"

    summary = record["summary"]
    assert set(summary) >= SUMMARY
    assert (summary["meetings_count"], summary["meetings_analyzed"]) == (3, 3)
    assert summary["people"] == [
        {"name": "Bo Berg", "role": "", "count": 3},
        {"name": "Cem Can", "role": "", "count": 1},
    ]
    assert (summary["first_meeting_at"], summary["last_meeting_at"]) == (
        "2026-01-02T09:00:00Z",
        "2026-01-04T09:00:00Z",
    )
    for name in LISTS:
        assert summary[name], name
        assert all(isinstance(line, str) and line for line in summary[name])
    assert summary["themes"]
    for theme in summary["themes"]:
        assert set(theme) == {"topic", "mentions"}
        assert theme["mentions"] >= 1
    assert summary["overview"]
    assert summary["overview"] == " ".join(summary["overview_sentences"])
    assert summary["unverified"] == []
    assert summary["changes"] == {"new": [], "resolved": [], "gone": []}
    assert await check_evidence(customer, "acme.example", summary) > 5


async def test_a_long_meeting_counts_each_theme_by_its_segments(customer: Customer) -> None:
    await customer.capture(
        meeting(1, said=[*SAID, *(("Bo", f"The data export failed on day {n}.") for n in range(9))])
    )
    summary = await customer.complete("acme.example")
    (theme,) = (t for t in summary["themes"] if "export" in t["topic"].lower())
    assert theme["mentions"] == 10


async def test_an_unknown_domain_is_complete_and_empty(
    customer: Customer, product: Product
) -> None:
    assert await customer.records("nobody.example", "0198c7a0-0000-7000-8000-000000000000") == []
    record = await customer.summarise("nobody.example")
    assert (record["status"], record["error"]) == ("complete", None)
    summary = record["summary"]
    assert (summary["meetings_count"], summary["meetings_analyzed"]) == (0, 0)
    assert (summary["first_meeting_at"], summary["last_meeting_at"]) == (None, None)
    assert summary["overview"] == ""
    for name in ("people", "themes", *LISTS, "unverified"):
        assert summary[name] == []
    assert summary["evidence"] == {name: [] for name in ("overview", "themes", *LISTS)}


async def test_a_run_is_known_under_its_own_domain_only(customer: Customer) -> None:
    run_id = await customer.start("acme.example")
    await customer.ended(run_id)
    assert await customer.records("other.example", run_id) == []


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"engine": "openai:gpt-4o-mini"}, "OPENAI_API_KEY not configured"),
        ({"engine": "anthropic:claude-haiku"}, "ANTHROPIC_API_KEY not configured"),
        ({"sync": True}, "FATHOM_API_KEY not configured"),
    ],
)
async def test_a_missing_key_is_an_error_that_names_it(
    customer: Customer, options: dict[str, Any], sentence: str
) -> None:
    await customer.capture(meeting(1))
    record = await customer.summarise("acme.example", **options)
    assert (record["status"], record["error"], record["summary"]) == ("error", sentence, None)
    assert record["completed_at"] is not None
    assert record["progress"]["stage"] == "sync"
    # The key is not what is missing when nobody asks for what needs it.
    assert (await customer.summarise("acme.example"))["status"] == "complete"


async def test_three_domains_at_once_are_independent(customer: Customer) -> None:
    domains = [f"company{n}.example" for n in range(3)]
    for n, domain in enumerate(domains):
        await customer.capture(*(meeting(100 * n + i, domain) for i in range(n + 1)))
    runs = await asyncio.gather(*(customer.start(domain) for domain in domains))
    assert len(set(runs)) == 3
    assert await asyncio.gather(*map(customer.ended, runs)) == ["complete"] * 3
    for n, (domain, run_id) in enumerate(zip(domains, runs, strict=True)):
        summary = (await customer.record(domain, run_id))["summary"]
        assert summary["meetings_count"] == n + 1
        await check_evidence(customer, domain, summary)


async def test_one_that_fails_leaves_the_others_alone(customer: Customer) -> None:
    await customer.capture(meeting(1, "good.example"), meeting(2, "bad.example"))
    good, bad = await asyncio.gather(
        customer.summarise("good.example"), customer.summarise("bad.example", sync=True)
    )
    assert (good["status"], bad["status"]) == ("complete", "error")


async def test_the_record_is_a_key_of_the_store(customer: Customer) -> None:
    await customer.capture(meeting(1))
    run_id = await customer.start("acme.example")
    await customer.ended(run_id)
    key = f"engagement:acme.example:{run_id}"
    entry = (await customer.http.get(f"/v1/kv/{key}")).json()
    assert entry["key"] == key
    value = entry["value"]
    assert set(value) >= RECORD
    record = await customer.record("acme.example", run_id)
    assert normal_times(value) == normal_times(record)
    listed = (await customer.http.get("/v1/kv", params={"prefix": "engagement:acme."})).json()
    assert [each["key"] for each in listed["items"]] == [key]


def normal_times(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: normal_times(v) for k, v in value.items()}
    if isinstance(value, list):
        return [normal_times(v) for v in value]
    if isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\dT", value):
        return datetime.fromisoformat(value)
    return value


async def test_a_record_is_deleted_by_its_key(product: Product, customer: Customer) -> None:
    run_id = (await customer.summarise("acme.example"))["run_id"]
    key = f"/v1/kv/engagement:acme.example:{run_id}"
    member = await product.customer(customer.organization, role="member")
    refused = await member.http.delete(key)
    assert (refused.status_code, refused.json()["code"]) == (403, "role_forbidden")
    written = await customer.http.put(key, json={"value": {"status": "complete"}})
    assert written.status_code == 403
    assert len(await member.records("acme.example", run_id)) == 1
    assert (await customer.http.delete(key)).status_code == 204
    assert await customer.records("acme.example", run_id) == []


async def test_records_are_deleted_by_prefix(product: Product, customer: Customer) -> None:
    runs = [(await customer.summarise("acme.example"))["run_id"] for _ in range(2)]
    kept = (await customer.summarise("acme.example.org"))["run_id"]
    page = (await customer.http.get("/v1/kv", params={"prefix": "engagement:acme.example:"})).json()
    operations = [{"op": "delete", "key": each["key"]} for each in page["items"]]
    assert len(operations) == 2
    member = await product.customer(customer.organization, role="member")
    refused = await member.http.post("/v1/kv-batch", json={"operations": operations})
    assert refused.status_code == 403
    deleted = await customer.http.post("/v1/kv-batch", json={"operations": operations})
    assert deleted.status_code == 200, deleted.text
    for run_id in runs:
        assert await customer.records("acme.example", run_id) == []
    assert len(await customer.records("acme.example.org", kept)) == 1
    company = await customer.http.get("/v1/companies/acme.example")
    assert company.status_code == 404


async def test_another_organization_sees_nothing(product: Product, customer: Customer) -> None:
    await customer.capture(meeting(1))
    run_id = (await customer.summarise("acme.example"))["run_id"]
    stranger = await product.customer(name="Other House")
    assert await stranger.records("acme.example", run_id) == []
    for path in (
        f"/v1/runs/{run_id}",
        f"/v1/runs/{run_id}/events",
        f"/v1/kv/engagement:acme.example:{run_id}",
        "/v1/companies/acme.example",
        f"/v1/companies/acme.example/summaries/{run_id}",
    ):
        assert (await stranger.http.get(path)).status_code == 404, path
    assert (await stranger.http.post(f"/v1/runs/{run_id}/cancel")).status_code == 404
    assert (await stranger.complete("acme.example"))["meetings_count"] == 0


async def test_a_viewer_reads_and_does_not_start(product: Product, customer: Customer) -> None:
    run_id = (await customer.summarise("acme.example"))["run_id"]
    viewer = await product.customer(customer.organization, role="viewer")
    assert (await viewer.record("acme.example", run_id))["status"] == "complete"
    answer = await viewer.http.post("/v1/engagement-summary", json={"domain": "acme.example"})
    assert (answer.status_code, answer.json()["code"]) == (403, "role_forbidden")


async def test_companies_and_export(customer: Customer) -> None:
    await customer.capture(meeting(1), meeting(2, "other.example"))
    record = await customer.summarise("acme.example")
    listed = (await customer.http.get("/v1/companies")).json()["items"]
    assert [each["domain"] for each in listed] == ["other.example", "acme.example"]
    company = (await customer.http.get("/v1/companies/www.ACME.Example:443")).json()
    assert company["domain"] == "acme.example"
    assert company["latest"]["run_id"] == record["run_id"]
    assert [each["run_id"] for each in company["history"]] == [record["run_id"]]
    address = f"/v1/companies/acme.example/summaries/{record['run_id']}"
    assert (await customer.http.get(address)).json() == record
    exported = await customer.http.get(f"{address}/markdown")
    assert exported.status_code == 200, exported.text
    assert exported.headers["content-type"] == "text/markdown; charset=utf-8"
    for name in LISTS:
        for line in record["summary"][name]:
            assert line in exported.text
