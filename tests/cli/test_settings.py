"""`tidings settings` shows what holds and hides what is secret."""

import pytest

from tidings.base.settings import Settings
from tidings.cli.settings import MASK, effective_settings, mask_passwords


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        (
            "postgresql://u:p@h:5432/d?sslmode=require",
            f"postgresql://u:{MASK}@h:5432/d?sslmode=require",
        ),
        ("postgresql://u:p@ss:w0rd@h/d", f"postgresql://u:{MASK}@h/d"),
        ("postgresql://u@h/d?password=pw&x=1", f"postgresql://u@h/d?password={MASK}&x=1"),
        ("host=h user=u password=pw dbname=d", f"host=h user=u password={MASK} dbname=d"),
        (r"host=h password = 'p w\'x' dbname=d", f"host=h password = {MASK} dbname=d"),
        ("sslpassword=pw", f"sslpassword={MASK}"),
        ("https://user:pw@llm.example/v1", f"https://user:{MASK}@llm.example/v1"),
        ("postgresql:///d?host=/run/pg", "postgresql:///d?host=/run/pg"),
        ("http://127.0.0.1:8420", "http://127.0.0.1:8420"),
    ],
)
def test_passwords_in_addresses_are_masked(address: str, shown: str) -> None:
    assert mask_passwords(address) == shown


def test_every_setting_is_listed_with_its_origin(cli, environment) -> None:
    listed = {s["variable"]: s for s in cli("settings", "--json").json}
    assert len(listed) == len(Settings.model_fields)
    assert not listed["TIDINGS_HOME"]["is_default"]
    assert listed["TIDINGS_PORT"] == {
        "variable": "TIDINGS_PORT",
        "value": "8420",
        "is_default": True,
    }
    assert "a-password-of-the-tests" not in str(listed)


def test_secrets_are_masked_lists_joined_and_missing_ones_empty(monkeypatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setenv("FATHOM_API_KEY", "fathom-secret")
    monkeypatch.setenv("TIDINGS_CORS_ORIGINS", "https://a.example,https://b.example")
    found = effective_settings(Settings(_env_file=None))  # type: ignore[call-arg]
    values = {s.variable: s.value for s in found}
    assert values["TIDINGS_FATHOM_API_KEY"] == MASK
    assert values["TIDINGS_CORS_ORIGINS"] == "https://a.example,https://b.example"
    assert values["TIDINGS_OPENAI_API_KEY"] == ""
    assert values["TIDINGS_DATABASE_PREPARE"] == "true"


def test_the_table_says_default_or_set(cli) -> None:
    lines = cli("settings").out.splitlines()
    assert "TIDINGS_PORT\t8420\tdefault" in lines
    assert any(line.startswith("TIDINGS_HOME\t") and line.endswith("\tset") for line in lines)
