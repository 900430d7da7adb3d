"""`tidings doctor` on healthy and on broken deployments."""

import base64

import psycopg
import pytest

from tidings.cli.doctor import database


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine may take longer to notify."""
    monkeypatch.setattr(database, "LISTEN_SECONDS", 60.0)


def statuses(done) -> dict[str, str]:
    return {finding["check"]: finding["status"] for finding in done.json}


def test_a_healthy_deployment(cli) -> None:
    done = cli("doctor", "--json")
    assert done.code == 0
    found = statuses(done)
    assert set(found) == {
        "python",
        "static assets",
        "settings",
        "home",
        "secret key",
        "database",
        "PostgreSQL",
        "service login",
        "migrations",
        "row security",
        "connections",
        "LISTEN",
        "owner login",
        "worker",
        "AI engine",
        "Fathom",
    }
    assert {name for name, status in found.items() if status != "ok"} == {
        "secret key",
        "worker",
        "Fathom",
    }
    assert "fail" not in found.values()


def test_every_problem_comes_with_advice(cli) -> None:
    for finding in cli("doctor", "--json").json:
        assert (finding["status"] == "ok") == (finding["advice"] == "")


def test_lines_for_a_pipe_and_a_page_for_a_terminal(cli) -> None:
    lines = cli("doctor").out.splitlines()
    assert "ok\tservice login\ttidings_app, without more rights than it needs" in lines
    page = cli("doctor", terminal=True).out
    assert "→" in page
    assert "service login" in page


def test_a_worker_that_worked_is_seen(cli) -> None:
    cli("engagement", "run", "nobody.example", "--no-sync", "--here")
    assert statuses(cli("doctor", "--json"))["worker"] == "ok"


def test_a_database_that_does_not_answer(cli, monkeypatch) -> None:
    monkeypatch.setenv("TIDINGS_DATABASE_URL", "postgresql://a:hidden@127.0.0.1:1/b")
    done = cli("doctor", "--json")
    assert done.code == 1
    assert statuses(done)["database"] == "fail"
    assert "hidden" not in done.out
    assert "PostgreSQL" not in statuses(done)


def test_settings_that_are_not_valid_end_it(cli, monkeypatch) -> None:
    monkeypatch.setenv("TIDINGS_PORT", "many")
    done = cli("doctor", "--json")
    assert done.code == 1
    assert list(statuses(done)) == ["python", "static assets", "settings"]


def test_a_login_with_too_many_rights(cli, monkeypatch, superuser_url, owner_url) -> None:
    for url in (superuser_url, owner_url):
        monkeypatch.setenv("TIDINGS_DATABASE_URL", url)
        done = cli("doctor", "--json")
        assert done.code == 1
        assert statuses(done)["service login"] == "fail"


def test_without_the_owner_and_without_listen(cli, monkeypatch) -> None:
    monkeypatch.delenv("TIDINGS_OWNER_URL")
    monkeypatch.delenv("TIDINGS_LISTEN_URL")
    done = cli("doctor", "--json")
    assert done.code == 0
    found = statuses(done)
    assert [found[name] for name in ("owner login", "LISTEN", "worker")] == ["warn"] * 3


def test_an_owner_that_is_none(cli, monkeypatch, environment) -> None:
    monkeypatch.setenv("TIDINGS_OWNER_URL", environment["TIDINGS_DATABASE_URL"])
    assert statuses(cli("doctor", "--json"))["owner login"] == "fail"
    monkeypatch.setenv("TIDINGS_OWNER_URL", "postgresql://a@127.0.0.1:1/b")
    assert statuses(cli("doctor", "--json"))["owner login"] == "fail"


def test_a_table_without_row_security(cli, superuser_url: str) -> None:
    with psycopg.connect(superuser_url) as connection:
        connection.execute("ALTER TABLE tidings.meetings NO FORCE ROW LEVEL SECURITY")
    done = cli("doctor", "--json")
    assert statuses(done)["row security"] == "fail"
    assert "meetings" in done.out


def test_a_secret_key_that_is_none(cli, monkeypatch) -> None:
    monkeypatch.setenv("TIDINGS_SECRET_KEY", "too short")
    done = cli("doctor", "--json")
    assert done.code == 1
    found = statuses(done)
    assert found["secret key"] == "fail"
    assert found["migrations"] == "ok"
    assert "AI engine" not in found
    monkeypatch.setenv("TIDINGS_SECRET_KEY", base64.b64encode(b"k" * 32).decode())
    assert statuses(cli("doctor", "--json"))["secret key"] == "ok"


@pytest.mark.parametrize(
    ("engine", "key", "status"),
    [
        ("openai:gpt-4o-mini", None, "fail"),
        ("openai:gpt-4o-mini", "sk-x", "ok"),
        ("openai:nobody-prices-this", "sk-x", "fail"),
        ("hal:9000", None, "fail"),
    ],
)
def test_the_engine_needs_its_key_and_a_price(cli, monkeypatch, engine, key, status) -> None:
    monkeypatch.setenv("TIDINGS_ENGINE", engine)
    if key:
        monkeypatch.setenv("OPENAI_API_KEY", key)
    done = cli("doctor", "--json")
    assert statuses(done)["AI engine"] == status
    assert "sk-x" not in done.out


def test_a_fathom_key_is_found_and_an_unreadable_one_told(cli, monkeypatch) -> None:
    monkeypatch.setenv("TIDINGS_SECRET_KEY", base64.b64encode(b"k" * 32).decode())
    cli("secrets", "set", "fathom_api_key", stdin="fathom-key-of-an-organization")
    assert statuses(cli("doctor", "--json"))["Fathom"] == "ok"
    monkeypatch.setenv("TIDINGS_SECRET_KEY", base64.b64encode(b"j" * 32).decode())
    assert statuses(cli("doctor", "--json"))["Fathom"] == "fail"
