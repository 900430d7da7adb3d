import asyncio
from datetime import timedelta
from urllib.parse import quote

import psycopg
import pytest

from tidings.base import clock
from tidings.base.errors import CredentialInvalid, RateExceeded
from tidings.db.pools import primary_pool
from tidings.db.transaction import Database
from tidings.tenancy.access import Access, Requests, key_credential, session_credential
from tidings.tenancy.api_keys import issue_key, list_keys, revoke_key
from tidings.tenancy.idempotency import make_claim
from tidings.tenancy.members import remove_member
from tidings.tenancy.rate_leases import RateLeases
from tidings.tenancy.sign_in import Client, issue_link, sign_in_by_link
from tidings.tenancy.tokens import hash_token, new_token

OPEN = "SELECT * FROM tidings.open_request_v1(%s, %s, %s, 6000, NULL, NULL, NULL)"


@pytest.fixture
async def key(db, organization):
    return (await issue_key(db, organization.tenant, "CI")).key


@pytest.fixture
async def token(db, settings, organization, look):
    [(email,)] = look("SELECT email FROM tidings.users")
    link = await issue_link(db, email)
    return (await sign_in_by_link(db, settings, link, Client())).token


@pytest.fixture
def moved_clock():
    yield clock.shift
    clock.shift(timedelta(0))


async def test_a_key_says_all_a_request_needs(db, key, organization):
    access = await Requests(db, RateLeases(6000)).open(key_credential(key))
    assert access.tenant == organization.tenant
    assert (access.user_name, access.organization_name) == ("The Owner", "Harbour & Pine")
    assert access.email.startswith("owner-")
    assert (access.session_id, access.csrf, access.scopes) == (None, None, [])
    assert (access.rate.limit, access.rate.remaining) == (6000, 5999)
    assert 1 <= access.rate.reset <= 60


async def test_a_session_brings_its_csrf_secret(db, token, organization):
    access = await Requests(db, RateLeases(6000)).open(session_credential(token))
    assert access.tenant == organization.tenant
    assert access.kind == "person"
    assert len(access.csrf) == 43


async def test_it_is_one_round_trip(wire, cluster, settings, database_url, key, token):
    url = wire.url(database_url, cluster.cluster.socket_dir)
    assert quote(wire.socket_dir, safe="") in url
    database = Database(primary_pool(settings.model_copy(update={"pool_primary_max": 1}), url))
    await database.open()
    try:
        leases = RateLeases(6000)
        await Requests(database, leases).open(key_credential(key))
        for credential in (key_credential(key), session_credential(token)):
            for claim in (None, make_claim(str(credential.kind), "POST", "/v1/x", "", b"{}")):
                wire.reset()
                await Requests(database, leases).open(credential, claim)
                assert wire.trips == 1
    finally:
        await database.close()


@pytest.mark.parametrize(
    "bad", ["", "tk_", "tk_short", "sk_" + "x" * 43, "tk_" + "é" * 43, "tk_" + "\ud800" * 43]
)
def test_what_cannot_be_a_key_asks_nothing(bad):
    with pytest.raises(CredentialInvalid):
        key_credential(bad)
    with pytest.raises(CredentialInvalid):
        session_credential(bad)


async def test_an_unknown_credential_is_invalid_and_leaves_nothing(db, organization, look):
    for credential in (key_credential("tk_" + new_token()), session_credential(new_token())):
        with pytest.raises(CredentialInvalid):
            await Requests(db, RateLeases(6000)).open(credential)
    assert look("SELECT count(*) FROM tidings.request_counts") == [(0,)]


async def test_a_key_is_no_session_and_a_session_no_key(db, key, token):
    with pytest.raises(CredentialInvalid):
        await Requests(db, RateLeases(6000)).open(session_credential(key[3:]))
    with pytest.raises(CredentialInvalid):
        await Requests(db, RateLeases(6000)).open(key_credential("tk_" + token))


async def test_a_disabled_or_removed_person_is_out_at_once(db, key, organization, person, look):
    member = person(organization, "member")
    theirs = (await issue_key(db, member, "CI")).key
    await remove_member(db, organization.tenant, member.user_id)
    with pytest.raises(CredentialInvalid):
        await Requests(db, RateLeases(6000)).open(key_credential(theirs))
    look("UPDATE tidings.users SET disabled_at = now()")
    with pytest.raises(CredentialInvalid):
        await Requests(db, RateLeases(6000)).open(key_credential(key))


async def test_the_plain_case_writes_nothing(superuser_url, key, token, look):
    digests = [(hash_token(key), None), (None, hash_token(token))]
    for pair in digests:
        look(OPEN, *pair, 0)
    with psycopg.connect(superuser_url) as connection:
        connection.execute("SET TRANSACTION READ ONLY")
        for pair in digests:
            assert connection.execute(OPEN, [*pair, 0]).fetchone() is not None


async def test_it_reads_by_index_among_many_rows(superuser_url, key, token, look, organization):
    ids = (organization.organization_id, organization.user_id)
    look(
        "INSERT INTO tidings.api_keys (organization_id, id, user_id, name, prefix, key_hash, role)"
        " SELECT %s, tidings.uuid7(), %s, 'many', 'tk_12345', sha256(n::text::bytea), 'member'"
        " FROM generate_series(1, 5000) AS n",
        *ids,
    )
    look(
        "INSERT INTO tidings.sessions (organization_id, id, user_id, method, token_hash,"
        " previous_token_hash, csrf, lifetime, expires_at) SELECT %s, tidings.uuid7(), %s, 'link',"
        " sha256(n::text::bytea), sha256(('p' || n)::bytea), repeat('x', 43), '1 day',"
        " now() + interval '1 day' FROM generate_series(1, 5000) AS n",
        *ids,
    )
    look("ANALYZE tidings.api_keys, tidings.sessions")
    for pair in ((hash_token(key), None), (None, hash_token(token))):
        with psycopg.connect(superuser_url) as connection:
            connection.execute(OPEN, [*pair, 1])
            scans = dict(
                connection.execute(
                    "SELECT relname, seq_scan FROM pg_stat_xact_user_tables"
                    " WHERE relname IN ('api_keys', 'sessions')"
                ).fetchall()
            )
            assert scans == {"api_keys": 0, "sessions": 0}


async def test_the_last_use_is_written_once_a_minute(db, key, token, later, look):
    async def use(database):
        await Requests(database, RateLeases(6000)).open(key_credential(key))
        await Requests(database, RateLeases(6000)).open(session_credential(token))
        [(used,)] = look("SELECT last_used_at FROM tidings.api_keys")
        [(seen,)] = look("SELECT last_seen_at FROM tidings.sessions")
        return used, seen

    first = await use(db)
    assert await use(db) == first
    second = await use(await later("2 minutes"))
    assert second[0] > first[0]
    assert second[1] > first[1]


async def test_a_locked_row_does_not_make_a_request_wait(db, key, superuser_url):
    with psycopg.connect(superuser_url) as connection:
        connection.execute("SELECT 1 FROM tidings.api_keys FOR UPDATE")
        async with asyncio.timeout(20):
            assert await Requests(db, RateLeases(6000)).open(key_credential(key))


async def test_the_limit_is_exact_over_processes(new_minute, key):
    processes = [RateLeases(20) for _ in range(4)]
    results = await asyncio.gather(
        *(Requests(new_minute, processes[i % 4]).open(key_credential(key)) for i in range(60)),
        return_exceptions=True,
    )
    refused = [result for result in results if isinstance(result, RateExceeded)]
    assert len(refused) == 40
    assert all(1 <= error.retry_after <= 60 for error in refused)


async def test_a_share_is_spent_without_writing(new_minute, key, look):
    leases = RateLeases(6000)
    for left in (5999, 5998, 5997):
        access = await Requests(new_minute, leases).open(key_credential(key))
        assert access.rate.remaining == left
    assert look("SELECT used FROM tidings.request_counts") == [(100,)]


async def test_an_exhausted_minute_asks_the_database_no_more(new_minute, key, moved_clock):
    leases = RateLeases(1)
    await Requests(new_minute, leases).open(key_credential(key))
    before = new_minute.trips.total
    for _ in range(3):
        with pytest.raises(RateExceeded):
            await Requests(new_minute, leases).open(key_credential(key))
    assert new_minute.trips.total == before
    moved_clock(timedelta(seconds=61))
    with pytest.raises(RateExceeded):
        await Requests(new_minute, leases).open(key_credential(key))
    assert new_minute.trips.total == before + 1


async def test_the_next_minute_is_fresh(db, key, later, moved_clock):
    leases = RateLeases(1)
    await Requests(db, leases).open(key_credential(key))
    moved_clock(timedelta(seconds=61))
    assert await Requests(await later("61 seconds"), leases).open(key_credential(key))


async def test_rotating_a_session_does_not_refill_its_limit(new_minute, token):
    from tidings.tenancy.sessions import rotate_session

    await Requests(new_minute, RateLeases(1)).open(session_credential(token))
    fresh = await rotate_session(new_minute, token)
    with pytest.raises(RateExceeded):
        await Requests(new_minute, RateLeases(1)).open(session_credential(fresh))


async def test_requests_that_come_at_once_share_a_look_up(
    wire, cluster, settings, database_url, key
):
    database = Database(primary_pool(settings, wire.url(database_url, cluster.cluster.socket_dir)))
    await database.open()
    requests = Requests(database, RateLeases(6000))
    await requests.open(key_credential(key))
    wire.reset()
    opened = await asyncio.gather(*(requests.open(key_credential(key)) for _ in range(50)))
    assert wire.trips <= 2
    assert len({access.rate.remaining for access in opened}) == 50  # each counts
    await database.close()


async def test_requests_at_once_take_what_the_limit_has_left(db, key):
    requests = Requests(db, RateLeases(7))
    outcomes = await asyncio.gather(
        *(requests.open(key_credential(key)) for _ in range(20)), return_exceptions=True
    )
    # A minute may end in between.
    assert 7 <= sum(isinstance(outcome, Access) for outcome in outcomes) <= 14
    refused = [outcome for outcome in outcomes if not isinstance(outcome, Access)]
    assert all(isinstance(outcome, RateExceeded) for outcome in refused)


async def test_a_request_after_a_revocation_is_refused_whatever_is_under_way(db, organization, key):
    requests = Requests(db, RateLeases(6000))
    [listed] = [one for one in await list_keys(db, organization.tenant) if one.prefix == key[:8]]
    under_way = [asyncio.create_task(requests.open(key_credential(key))) for _ in range(20)]
    await asyncio.sleep(0)
    await revoke_key(db, organization.tenant, listed.id)
    with pytest.raises(CredentialInvalid):
        await requests.open(key_credential(key))
    await asyncio.gather(*under_way, return_exceptions=True)
