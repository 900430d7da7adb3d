"""`keys`, `members`, `organizations`, `secrets` and `sign-in-link`."""

import base64
import json
import sys

import psycopg
import pytest

from tidings.base.settings import Settings
from tidings.cli import secrets
from tidings.cli.sign_in import web_address


def test_a_key_is_made_listed_and_revoked(cli) -> None:
    made = cli("keys", "create", "deploy", "--scope", "kv", "--scope", "read", "--days", "2")
    assert made.code == 0
    assert made.out.startswith("tk_")
    assert "only now" in made.err
    assert [key["role"] for key in cli("keys", "list", "--json").json] == ["member"]
    refused = cli("keys", "create", "root", "--scope", "admin")
    assert (refused.code, "role must be admin or owner" in refused.err) == (1, True)
    whole = cli("keys", "create", "old", "--role", "viewer", "--json").json
    assert (whole["role"], whole["key"][:3]) == ("viewer", "tk_")

    listed = cli("keys", "list", "--json").json
    assert [key["name"] for key in listed] == ["old", "deploy"]
    assert made.out.strip() not in cli("keys", "list").out

    assert cli("keys", "revoke", whole["id"]).code == 0
    table = cli("keys", "list").out
    assert "revoked 2" in table
    assert "expires 2" in table
    assert cli("keys", "revoke", "01934f7e-8f6a-7c3b-9d2e-5b1f0a6c4d21").code == 1
    assert cli("keys", "create", "bad", "--scope", "everything").code == 1
    for days in ("0", "-1", "3651", "soon"):
        assert cli("keys", "create", "bad", "--days", days).code == 2


def test_members_are_added_and_sign_in(cli) -> None:
    added = cli("members", "add", "ana@acme.example", "--role", "admin", "--name", "Ana")
    assert added.code == 0
    assert "sign-in-link ana@acme.example" in added.err
    assert cli("members", "add", "ana@acme.example").code == 1
    assert cli("members", "add", "nobody").code == 1
    ben = cli("members", "add", "ben@acme.example", "--json").json
    assert ben["role"] == "member"
    members = cli("members", "list", "--json").json
    assert {m["email"] for m in members} == {
        "owner@localhost",
        "ana@acme.example",
        "ben@acme.example",
    }
    assert "Ana" in cli("members", "list").out

    link = cli("sign-in-link", "ana@acme.example")
    assert link.out.startswith("http://127.0.0.1:8420/sign-in/link/")
    owner = cli("sign-in-link", "--json").json
    assert owner["email"] == "owner@localhost"
    unknown = cli("sign-in-link", "nobody@acme.example")
    assert (unknown.code, unknown.out) == (1, "")


def test_members_change_and_leave(cli) -> None:
    cli("members", "add", "ana@acme.example", "--role", "admin")
    assert cli("members", "role", "ANA@acme.example", "viewer").code == 0
    roles = {m["email"]: m["role"] for m in cli("members", "list", "--json").json}
    assert roles["ana@acme.example"] == "viewer"
    assert cli("members", "role", "ana@acme.example", "king").code == 2
    assert cli("members", "remove", "ana@acme.example").code == 0
    gone = cli("members", "remove", "ana@acme.example")
    assert (gone.code, "no member" in gone.err) == (1, True)
    last = cli("members", "remove", "owner@localhost")
    assert (last.code, "owner" in last.err) == (1, True)


def test_a_member_takes_their_data_along_and_is_forgotten(cli) -> None:
    cli("members", "add", "ana@acme.example", "--name", "Ana")
    exported = cli("members", "export", "ana@acme.example")
    (line,) = exported.out.splitlines()
    assert json.loads(line)["kind"] == "person"
    assert json.loads(line)["row"]["email"] == "ana@acme.example"
    assert "is forgotten" in cli("members", "remove", "ana@acme.example", "--erase").err
    assert cli("members", "export", "ana@acme.example").code == 1
    cli("members", "add", "ben@acme.example")
    assert "no longer a member" in cli("members", "remove", "ben@acme.example").err
    assert [m["email"] for m in cli("members", "list", "--json").json] == ["owner@localhost"]


def test_the_address_of_a_link() -> None:
    def address(**changes: object) -> str:
        return web_address(Settings(_env_file=None, **changes))  # type: ignore[arg-type, call-arg]

    assert address(base_url="https://tidings.example/") == "https://tidings.example"
    assert address(host="::1", port=9) == "http://[::1]:9"


def test_secrets_come_from_standard_input_and_never_out(cli, monkeypatch) -> None:
    value = "sk-very-secret-value-1234"
    assert cli("secrets", "set", "openai_api_key", stdin=f"{value}\n").code == 0
    listed = cli("secrets", "list")
    assert "openai_api_key" in listed.out
    assert value not in listed.out
    assert cli("secrets", "list", "--json").json[0]["hint"] == "1234"
    assert cli("secrets", "set", "Bad Name", stdin="x").code == 1
    assert cli("secrets", "set", "openai_api_key", stdin="").code == 1
    assert cli("secrets", "set", "openai_api_key", value).code == 2

    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr(secrets.getpass, "getpass", lambda prompt: "typed")
    assert cli("secrets", "set", "fathom_api_key").code == 0
    assert cli("secrets", "delete", "fathom_api_key").code == 0
    assert cli("secrets", "delete", "fathom_api_key").code == 1


@pytest.mark.parametrize("slug", ["Not A Slug", "-x"])
def test_a_bad_slug_is_refused(cli, slug: str) -> None:
    assert cli("organizations", "add", "--owner", "a@b.example", "--", slug).code == 1


def test_an_organization_is_made_and_its_owner_let_in(cli) -> None:
    made = cli("organizations", "add", "south", "--owner", "eva@south.example", "--name", "South")
    assert (made.code, made.out) == (0, "")
    assert cli("sign-in-link", "--organization", "south", "--json").json["email"] == (
        "eva@south.example"
    )
    there = ("--organization", "south")
    assert cli("organizations", "change", *there).code == 2
    assert cli("organizations", "change", "--time-zone", "Mars", *there).code == 1
    assert "Asia/Tokyo" in cli("organizations", "change", "--time-zone", "Asia/Tokyo", *there).err
    changed = cli("organizations", "change", "--name", "Far South", "--json", *there).json
    assert (changed["name"], changed["time_zone"]) == ("Far South", "Asia/Tokyo")
    assert "Far South" in cli("organizations", "show", *there).out
    assert cli("organizations", "show", "--json").json["time_zone"] == "UTC"


def test_the_audit_log_is_listed_and_verified(cli) -> None:
    cli("secrets", "set", "openai_api_key", stdin="sk-very-secret-value")
    (entry,) = cli("audit", "list", "--target", "secret:openai_api_key", "--json").json
    assert entry["action"] == "secret.set"
    listed = cli("audit", "list").out
    assert "secret.set" in listed
    assert "very-secret" not in listed
    report = cli("audit", "verify", "--json").json
    assert (report["intact"], len(report["head"])) == (True, 64)
    assert cli("audit", "verify").out.strip() == report["head"]


def test_a_broken_chain_fails(cli, superuser_url) -> None:
    cli("secrets", "set", "openai_api_key", stdin="sk-very-secret-value")
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        connection.execute("SELECT tidings.seal_audit_v1(100)")
        connection.execute("ALTER TABLE tidings.audit_log DISABLE TRIGGER USER")
        connection.execute("UPDATE tidings.audit_log SET action = 'x.y'")
    broken = cli("audit", "verify")
    assert (broken.code, "broken at seal 1" in broken.err) == (1, True)


def test_secrets_move_to_a_new_key(cli, monkeypatch) -> None:
    old, new, other = (base64.b64encode(letter * 32).decode() for letter in (b"a", b"b", b"c"))
    monkeypatch.setenv("TIDINGS_SECRET_KEY", old)
    cli("secrets", "set", "openai_api_key", stdin="sk-very-secret-value")
    monkeypatch.setenv("TIDINGS_SECRET_KEY", other)
    lost = cli("secrets", "reseal")
    assert (lost.code, "1 cannot be opened" in lost.err) == (1, True)
    monkeypatch.setenv("TIDINGS_SECRET_KEY", f"{new},{old}")
    assert cli("secrets", "reseal", "--json").json == {"done": 1, "unreadable": 0}
    monkeypatch.setenv("TIDINGS_SECRET_KEY", new)
    assert "0 sealed anew" in cli("secrets", "reseal").err
