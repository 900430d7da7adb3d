"""`tidings migrate`, and what other commands say of a database that is not there yet."""

from uuid import uuid4

import psycopg
import pytest

from tidings.db.revisions import head_revision


@pytest.fixture
def unmigrated(cluster, environment, monkeypatch) -> None:
    """A database with nothing in it."""
    name = "empty_of_" + environment["TIDINGS_DATABASE_URL"].rsplit("_", 1)[1]
    with psycopg.connect(cluster.url("postgres", "postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} OWNER tidings_owner")
    monkeypatch.setenv("TIDINGS_DATABASE_URL", cluster.url("tidings_app", name))
    monkeypatch.setenv("TIDINGS_LISTEN_URL", cluster.url("tidings_app", name))
    monkeypatch.setenv("TIDINGS_OWNER_URL", cluster.url("postgres", name))
    yield
    cluster.drop(name)


def test_status_tells_where_it_is(cli) -> None:
    done = cli("migrate", "status")
    assert (done.code, done.out) == (0, f"At {head_revision()}, newest {head_revision()}.\n")
    assert cli("migrate", "status", "--json").json["pending"] == []


@pytest.mark.usefixtures("unmigrated")
def test_a_database_is_migrated_up_and_down(cli) -> None:
    assert cli("migrate", "status").code == 1
    for command in (["kv", "list"], ["keys", "list"], ["engagement", "show", "a.com"]):
        refused = cli(*command)
        assert refused.code == 1
        assert "tidings migrate up" in refused.err
    assert cli("doctor").code == 1

    assert cli("migrate", "up").code == 0
    assert cli("kv", "list").code == 0
    assert cli("migrate", "up", "--json").json["pending"] == []

    assert cli("migrate", "down", "-1", "--yes", "--json").json["pending"] == [head_revision()]
    behind = cli("kv", "list")
    assert behind.code == 1
    assert f"this program needs {head_revision()}" in behind.err
    assert "9999" in cli("migrate", "down", "9999", "--yes").err
    down = cli("migrate", "down", "base", "--yes")
    assert (down.code, down.out[:11]) == (0, "At nothing,")


@pytest.mark.usefixtures("unmigrated")
def test_the_owner_s_address_alone_says_which_database_is_meant(cli, monkeypatch, tmp_path) -> None:
    monkeypatch.delenv("TIDINGS_DATABASE_URL")
    # An embedded one would be at nothing too, and would be made in the home.
    assert cli("migrate", "status").out.startswith("At nothing,")
    assert not (tmp_path / "home").exists()


def test_a_server_that_is_too_old_is_refused(cli, monkeypatch) -> None:
    monkeypatch.setattr("tidings.db.migrate.OLDEST_SERVER", 990000)
    for command in (["up"], ["down", "-1", "--yes"]):
        refused = cli("migrate", *command)
        assert refused.code == 1
        assert "Tidings needs 99 or newer; nothing was changed." in refused.err
    assert cli("migrate", "status").code == 0


def test_a_database_that_is_not_in_utf_8_is_refused(cli, cluster, monkeypatch) -> None:
    name = f"latin_{uuid4().hex}"
    with psycopg.connect(cluster.url("postgres", "postgres"), autocommit=True) as connection:
        connection.execute(
            f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'LATIN1' LOCALE_PROVIDER libc "
            "LOCALE 'C'"
        )
    monkeypatch.setenv("TIDINGS_OWNER_URL", cluster.url("postgres", name))
    refused = cli("migrate", "up")
    cluster.drop(name)
    assert refused.code == 1
    assert "The database is in LATIN1, and Tidings needs one in UTF-8" in refused.err


def test_up_needs_the_owner_s_address(cli, monkeypatch) -> None:
    monkeypatch.delenv("TIDINGS_OWNER_URL")
    done = cli("migrate", "up")
    assert done.code == 1
    assert "TIDINGS_OWNER_URL" in done.err


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://tidings_app:hidden@127.0.0.1:1/none", "cannot be reached"),
        ("postgresql://u:hid%zzden@h/d", "address is not valid"),
        ("nonsense hidden", "address is not valid"),
    ],
)
def test_a_database_that_is_not_there_is_said_without_its_password(
    cli, monkeypatch, url: str, said: str
) -> None:
    monkeypatch.setenv("TIDINGS_DATABASE_URL", url)
    done = cli("kv", "list")
    assert done.code == 1
    assert said in done.err
    assert "hid" not in done.err


def test_verify_lists_differences(cli, superuser_url: str) -> None:
    with psycopg.connect(superuser_url) as connection:
        connection.execute("CREATE TABLE tidings.forgotten (id integer)")
        connection.execute("GRANT SELECT ON tidings.forgotten TO tidings_app")
    listed = cli("migrate", "verify")
    assert listed.code == 1
    assert "forgotten" in listed.out
    assert any("forgotten" in d["name"] for d in cli("migrate", "verify", "--json").json)


def test_verify_of_a_database_as_it_should_be(cli, monkeypatch) -> None:
    monkeypatch.setattr("tidings.cli.migrate.find_differences", lambda url: [])
    done = cli("migrate", "verify")
    assert (done.code, done.out) == (0, "")
    assert cli("migrate", "verify", "--json").json == []
