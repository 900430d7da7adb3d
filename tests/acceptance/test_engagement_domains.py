"""The domain and the run id, in every spelling that callers come up with."""

from typing import Any

import pytest

from acceptance.product import Customer, Product

from factories.meetings import meeting

SPELLINGS = {
    "acme.example": [
        "acme.example",
        "ACME.Example",
        "  acme.example\n",
        "https://www.acme.example/about?x=1#top",
        "//acme.example",
        "http://user:secret@www.acme.example:8080/",
        "sales@acme.example",
        "acme.example.",
    ],
    "xn--bcher-kva.example": [
        "bücher.example",
        "BÜCHER.example",
        "bu\u0308cher.example",
        "xn--bcher-kva.example",
        "XN--BCHER-KVA.EXAMPLE",
        "https://www.bücher.example/kontakt",
    ],
}
LONG = ".".join(["a" * 60, "b" * 60, "c" * 60, "d" * 60, "example"])
IMPOSSIBLE = [
    "",
    "   ",
    "https://",
    "localhost",
    "acme..example",
    ".",
    "acme example.com",
    "-acme.example",
    "192.168.0.1",
    "[::1]",
    "a" * 64 + ".example",
    LONG + ".more.example",
    "x" * 5000,
    "acme.exa_mple",
    "acme.example\u2028.",
]


@pytest.fixture(scope="module")
def product(idle_product: Product) -> Product:
    """Nothing has to run to be started."""
    return idle_product


@pytest.mark.parametrize("domain", SPELLINGS)
async def test_every_spelling_is_one_company(customer: Customer, domain: str) -> None:
    run_id = await customer.start(domain)
    for spelling in SPELLINGS[domain]:
        answer = await customer.http.post("/v1/engagement-summary", json={"domain": spelling})
        assert answer.status_code == 202, answer.text
        assert answer.json() == {
            "ok": True, "domain": domain, "run_id": run_id, "status": "processing",
        }  # fmt: skip
        record = await customer.record(spelling, run_id)
        assert (record["domain"], record["run_id"]) == (domain, run_id)
    assert (await customer.http.get(f"/v1/kv/engagement:{domain}:{run_id}")).status_code == 200


async def test_the_longest_domain_is_one(customer: Customer) -> None:
    domain = LONG[-253:]
    run_id = await customer.start(domain)
    assert (await customer.record(domain, run_id))["domain"] == domain


@pytest.mark.parametrize("domain", IMPOSSIBLE)
async def test_an_impossible_domain_is_refused(customer: Customer, domain: str) -> None:
    posted = await customer.http.post("/v1/engagement-summary", json={"domain": domain})
    asked = await customer.http.get(
        "/v1/engagement-status", params={"domain": domain, "run_id": "x"}
    )
    for answer in (posted, asked):
        assert answer.status_code == 400, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        problem = answer.json()
        assert (problem["status"], bool(problem["detail"])) == (400, True)
        assert [each["field"] for each in problem["errors"]] == ["domain"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b'{"domain": null}',
        b'{"domain": 7}',
        b'{"domain": ["acme.example"]}',
        b'{"domain": "acme.example"',
        b'{"domain": "acme\\u0000.example"}',
        b'{"domain": "\\ud800.example"}',
        b'{"domain": "\xff.example"}',
        b'{"domain": "acme.example", "force": "maybe"}',
        b'{"domain": "acme.example", "engine": "a\\u0000"}',
    ],
)
async def test_a_body_without_a_domain_is_refused(
    product: Product, customer: Customer, body: bytes
) -> None:
    answer = await customer.http.post(
        "/v1/engagement-summary", content=body, headers={"content-type": "application/json"}
    )
    assert answer.status_code == 400, answer.text
    assert answer.json()["status"] == 400
    assert await product.look(
        "SELECT FROM tidings.runs WHERE organization_id = %s",
        customer.organization.organization_id,
    ) == []  # fmt: skip


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"domain": "acme.example"},
        {"run_id": "0198c7a0-0000-7000-8000-000000000000"},
        {"domain": "acme.example", "run_id": ""},
        {"domain": "acme.example", "run_id": " "},
        {"domain": "", "run_id": "0198c7a0-0000-7000-8000-000000000000"},
    ],
)
async def test_a_missing_parameter_is_refused(customer: Customer, params: dict[str, Any]) -> None:
    answer = await customer.http.get("/v1/engagement-status", params=params)
    assert answer.status_code == 400, answer.text
    assert answer.json()["status"] == 400


@pytest.mark.parametrize("run_id", ["no-run", "0198c7a0-0000-7000-8000-000000000000", "%", "🦉"])
async def test_an_unknown_run_is_an_empty_array(customer: Customer, run_id: str) -> None:
    assert await customer.records("acme.example", run_id) == []


async def test_unknown_fields_of_older_front_ends_are_ignored(customer: Customer) -> None:
    assert await customer.start("acme.example", user="u1", options={"deep": True})


async def test_without_a_credential(customer: Customer) -> None:
    for answer in (
        await customer.http.post(
            "/v1/engagement-summary", json={"domain": ""}, headers={"authorization": ""}
        ),
        await customer.http.get("/v1/engagement-status", headers={"authorization": "Bearer no"}),
    ):
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"


async def test_every_stage_comes_in_order_on_the_stream(
    product: Product, customer: Customer
) -> None:
    await customer.capture(meeting(1, "acme.example"), meeting(2, "acme.example"))
    run_id = await customer.start("acme.example")
    stream = customer.events(run_id)
    seen = [await anext(stream)]
    async with product.working():
        seen += [event async for event in stream]
    assert seen[-1][0] == "complete"
    stages = [state["progress"]["stage"] for _, state in seen]
    assert list(dict.fromkeys(stages)) == [None, "sync", "match", "read", "reduce", "verify"]


async def test_subdomains_count_when_asked_for(product: Product, customer: Customer) -> None:
    await customer.capture(
        meeting(1, "acme.example"),
        meeting(2, "eu.acme.example"),
        meeting(3, "notacme.example"),
        meeting(4, "acme.example.org"),
    )
    async with product.working():
        assert (await customer.complete("acme.example"))["meetings_count"] == 1
        with_them = await customer.complete("acme.example", include_subdomains=True)
        company = (await customer.http.get("/v1/companies/acme.example")).json()
    assert with_them["meetings_count"] == 2
    assert (company["subdomains"], company["meetings_count"]) == (True, 2)
    for asked, count in (("", 1), ("&include_subdomains=true", 2)):
        listed = await customer.http.get(f"/v1/meetings?domain=acme.example{asked}")
        assert len(listed.json()["items"]) == count
        found = await customer.http.get(f"/v1/meetings?domain=acme.example&q=reporting{asked}")
        assert len(found.json()["items"]) == count
    assert [each["name"] for each in with_them["people"]] == ["Bo Berg", "Bo Berg"]


async def test_an_idn_in_an_invitation_is_the_same_company(
    product: Product, customer: Customer
) -> None:
    await customer.capture(meeting(1, "bücher.example"), meeting(2, "xn--bcher-kva.example"))
    async with product.working():
        assert (await customer.complete("Bücher.example"))["meetings_count"] == 2
