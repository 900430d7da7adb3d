from pathlib import Path

import pytest

from tidings.base.errors import SettingInvalid
from tidings.base.settings import Settings, default_home, load_settings


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting from outside: an empty folder, and none of our variables."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(f"TIDINGS_{name.upper()}", raising=False)
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "FATHOM_API_KEY"):
        monkeypatch.delenv(name, raising=False)


def test_without_any_setting_all_is_local() -> None:
    settings = load_settings()
    assert settings.is_embedded
    assert (settings.engine, settings.host, settings.port) == ("local", "127.0.0.1", 8420)


def test_the_environment_wins_over_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("TIDINGS_PORT=1111\nTIDINGS_HOST=0.0.0.0\nOTHER=1\n")
    monkeypatch.setenv("TIDINGS_PORT", "2222")
    settings = load_settings()
    assert (settings.host, settings.port) == ("0.0.0.0", 2222)


def test_what_is_given_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDINGS_PORT", "2222")
    assert load_settings(port=3333).port == 3333


def test_a_database_of_ones_own_is_not_embedded() -> None:
    assert not load_settings(database_url="postgresql://app@db/tidings").is_embedded


@pytest.mark.parametrize("name", ["TIDINGS_OPENAI_API_KEY", "OPENAI_API_KEY"])
def test_a_key_has_its_usual_name_too_and_is_not_shown(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "sk-of-the-test")
    settings = load_settings()
    assert settings.openai_api_key is not None
    assert settings.openai_api_key.get_secret_value() == "sk-of-the-test"
    assert "sk-of-the-test" not in repr(settings)


def test_origins_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDINGS_CORS_ORIGINS", "https://a.example, https://b.example,")
    assert load_settings().cors_origins == ["https://a.example", "https://b.example"]
    assert load_settings(cors_origins=["https://c.example"]).cors_origins == ["https://c.example"]


@pytest.mark.parametrize(
    ("given", "prefix"),
    [("/make-server/", "/make-server"), ("/a/b", "/a/b"), ("", None), ("/", None)],
)
def test_the_legacy_prefix_is_a_path(
    monkeypatch: pytest.MonkeyPatch, given: str, prefix: str | None
) -> None:
    monkeypatch.setenv("TIDINGS_LEGACY_PREFIX", given)
    assert load_settings().legacy_prefix == prefix


def test_proxies_are_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDINGS_TRUSTED_PROXIES", "127.0.0.1, 10.0.0.0/8,::1")
    assert load_settings().trusted_proxies == ["127.0.0.1", "10.0.0.0/8", "::1"]
    monkeypatch.setenv("TIDINGS_TRUSTED_PROXIES", "10.0.0.0/8,proxy.example")
    with pytest.raises(SettingInvalid, match="TIDINGS_TRUSTED_PROXIES"):
        load_settings()


@pytest.mark.parametrize("given", ["make-server", "/v1", "/v1/old"])
def test_the_legacy_prefix_hides_nothing(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("TIDINGS_LEGACY_PREFIX", given)
    with pytest.raises(SettingInvalid, match="TIDINGS_LEGACY_PREFIX"):
        load_settings()


def test_every_bad_setting_is_named_and_no_value_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDINGS_PORT", "secret-port")
    monkeypatch.setenv("TIDINGS_LOG_FORMAT", "secret-format")
    monkeypatch.setenv("TIDINGS_POOL_TIMEOUT", "-1")
    with pytest.raises(SettingInvalid) as refused:
        load_settings()
    assert {problem.field for problem in refused.value.errors} == {
        "TIDINGS_PORT",
        "TIDINGS_LOG_FORMAT",
        "TIDINGS_POOL_TIMEOUT",
    }
    assert "secret" not in str(refused.value)


def test_settings_do_not_change() -> None:
    settings = load_settings()
    with pytest.raises(ValueError, match="frozen"):
        settings.port = 1  # type: ignore[misc]


def test_the_home_of_root_is_a_system_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert default_home() == Path("/var/lib/tidings/home")


def test_the_home_of_a_user_is_with_the_users_data(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    assert default_home() == tmp_path / ".local" / "share" / "tidings"
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert default_home() == tmp_path / "data" / "tidings"
