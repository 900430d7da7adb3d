import pytest

from tidings.tenancy.access import Requests, key_credential
from tidings.tenancy.api_keys import issue_key
from tidings.tenancy.idempotency import make_claim
from tidings.tenancy.rate_leases import RateLeases
from tidings.tenancy.sign_in import (
    Client,
    CredentialInvalid,
    issue_link,
    sign_in_by_link,
    sign_in_by_password,
)
from tidings.tenancy.sweep import sweep_tenancy

TABLES = ("idempotency_keys", "request_counts", "sign_in_failures", "sign_in_links", "sessions")


@pytest.fixture
def counts(look):
    return lambda: [look(f"SELECT count(*) FROM tidings.{table}")[0][0] for table in TABLES]


async def test_each_kind_goes_when_its_time_is_over(
    db, settings, organization, look, later, counts
):
    [(email,)] = look("SELECT email FROM tidings.users")
    key = (await issue_key(db, organization.tenant, "CI")).key
    for n in range(3):
        claim = make_claim(str(n), "POST", "/", "", b"")
        await Requests(db, RateLeases(60)).open(key_credential(key), claim)
        await sign_in_by_link(db, settings, await issue_link(db, email), Client())
    with pytest.raises(CredentialInvalid):
        await sign_in_by_password(db, settings, email, "wrong", Client())
    before = counts()
    assert before[0] == 3
    assert before[2:] == [2, 3, 3]
    assert await sweep_tenancy(db) == 0
    assert counts() == before

    assert await sweep_tenancy(await later("62 minutes"), 1) == before[1] + 2
    assert counts() == [3, 0, 0, 3, 3]
    assert await sweep_tenancy(await later("24 hours"), 2) == 3
    assert await sweep_tenancy(await later("25 hours")) == 3
    assert counts() == [0, 0, 0, 0, 3]
    days = settings.session_days
    assert await sweep_tenancy(await later(f"{days + 29} days")) == 0
    assert await sweep_tenancy(await later(f"{days + 31} days")) == 3
    assert counts() == [0, 0, 0, 0, 0]
