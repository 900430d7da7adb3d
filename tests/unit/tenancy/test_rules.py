"""The small rules: requests that are the same, scopes, addresses, e-mail addresses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.base.errors import InputInvalid, RoleForbidden
from tidings.base.ids import uuid7
from tidings.base.tenant import Tenant
from tidings.tenancy.access import Access
from tidings.tenancy.api_keys import scopes_allow
from tidings.tenancy.idempotency import make_claim
from tidings.tenancy.people import check_email
from tidings.tenancy.rate_leases import Rate
from tidings.tenancy.sign_in import account_bucket, address_bucket
from tidings.tenancy.tokens import hash_token, new_token

PART = st.text(alphabet="ab/?=", max_size=4)


@given(a=st.tuples(PART, PART, PART, PART), b=st.tuples(PART, PART, PART, PART))
def test_requests_hash_alike_only_when_they_are_the_same(a, b):
    claims = [make_claim("k", m, p, q, body.encode()) for m, p, q, body in (a, b)]
    assert (claims[0].request_hash == claims[1].request_hash) == (a == b)
    assert claims[0].id != claims[1].id


@pytest.mark.parametrize("key", ["", " ", "a b", "é", "x" * 256, "a\n"])
def test_a_bad_idempotency_key_is_refused(key):
    with pytest.raises(InputInvalid):
        make_claim(key, "POST", "/", "", b"")


@pytest.mark.parametrize(
    ("scopes", "area", "write", "allowed"),
    [
        ([], "admin", True, True),
        (["admin"], "admin", True, True),
        (["read", "write"], "admin", False, False),
        (["read"], "kv", False, True),
        (["read"], "kv", True, False),
        (["write"], "meetings", True, True),
        (["write"], "meetings", False, False),
        (["kv"], "kv", True, True),
        (["kv"], "engagement", False, False),
    ],
)
def test_scopes(scopes, area, write, allowed):
    assert scopes_allow(scopes, area, write=write) == allowed


def access(role, scopes=()):
    return Access(
        tenant=Tenant(uuid7(), uuid7(), role),
        scopes=list(scopes),
        key_id=uuid7(),
        session_id=None,
        csrf=None,
        email="",
        user_name="",
        organization_name="",
        rotation_due=False,
        rate=Rate(1, 1, 1),
        claim=None,
        replay=None,
    )


def test_role_and_scopes_must_both_allow():
    access("viewer").require("kv")
    access("admin").require("admin", write=True)
    access("member", ["kv"]).require("kv", write=True)
    access("member", ["admin"]).require_scope("admin", write=True)
    for refused in (
        lambda: access("viewer").require("kv", write=True),
        lambda: access("member").require("admin"),
        lambda: access("owner", ["kv"]).require("meetings"),
        lambda: access("owner", ["kv"]).require_scope("admin"),
    ):
        with pytest.raises(RoleForbidden):
            refused()


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("2001:db8::1", "2001:db8::2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("fe80::1%eth0", "fe80::1", True),
        ("", "testclient", False),
    ],
)
def test_networks(one, other, same):
    assert (address_bucket(one) == address_bucket(other)) == same


def test_an_account_has_one_bucket_however_it_is_written():
    assert account_bucket(" Ada@Example.com") == account_bucket("ada@example.COM ")
    # PostgreSQL finds ali@ and ασ@ by both spellings; text.lower() of the first ones is another.
    assert account_bucket("AL\u0130@example.com") == account_bucket("ali@example.com")
    assert account_bucket("\u0391\u03a3@example.com") == account_bucket("\u03b1\u03c3@example.com")
    assert account_bucket("x") != address_bucket("x")


@pytest.mark.parametrize("email", ["", "@", "a@", "@b", "a b@c", "a@b\x00", "a" * 320 + "@b"])
def test_bad_addresses(email):
    with pytest.raises(InputInvalid):
        check_email(email)


def test_tokens_are_43_url_safe_characters():
    tokens = {new_token() for _ in range(100)}
    assert len(tokens) == 100
    assert {len(token) for token in tokens} == {43}
    assert len(hash_token(tokens.pop())) == 32
