"""Committed texts that must say what the schema and the code say; `make listings` writes them."""

import ast

import psycopg
import pytest

from contract.listings import OF_THE_CODE, OF_THE_SCHEMA, ROOT
from contract.reach import render_reach
from contract.reference import (
    ENV_HEAD,
    default_text,
    every_error,
    make_targets,
    sentence_of,
    status_of,
    variables,
)  # fmt: skip
from tidings.base.settings import Settings
from tidings.web.problems import STATUS


def committed(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


@pytest.mark.parametrize("path", OF_THE_SCHEMA)
def test_the_listing_is_of_this_schema(schema: psycopg.Connection, path: str) -> None:
    """Run `make listings` and review what it changes."""
    assert committed(path).splitlines() == OF_THE_SCHEMA[path](schema).splitlines()


@pytest.mark.parametrize("path", OF_THE_CODE)
def test_the_page_is_of_this_code(path: str) -> None:
    """Run `make listings` and review what it changes."""
    assert committed(path).splitlines() == OF_THE_CODE[path]().splitlines()


def test_a_new_grant_shows_in_the_reach(schema: psycopg.Connection) -> None:
    before = render_reach(schema)
    schema.execute("GRANT TRUNCATE ON tidings.jobs TO tidings_app")
    schema.execute("GRANT EXECUTE ON FUNCTION tidings.protect(regclass) TO tidings_readonly")
    new = set(render_reach(schema).splitlines()) - set(before.splitlines())
    assert new == {"  table jobs: SELECT, TRUNCATE", "  function protect(target regclass)"}


def test_every_setting_says_what_it_is() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert field.description.rstrip(")`")[-1] in ".:", name


def test_the_example_environment_changes_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    """Uncommenting a line that has a default sets that default."""
    for name, field in Settings.model_fields.items():
        for variable in variables(name, field):
            monkeypatch.delenv(variable, raising=False)
    lines = [
        line.removeprefix("# ")
        for line in committed(".env.example").removeprefix(ENV_HEAD).splitlines()
        if line.startswith("# ") and line.split("=")[0].removeprefix("# ").isupper()
    ]
    assert len(lines) == len(Settings.model_fields)
    given = tmp_path / "given.env"
    given.write_text("".join(f"{line}\n" for line in lines if not line.endswith("=")))
    plain = Settings(_env_file=None).model_dump()
    read = Settings(_env_file=given).model_dump()
    assert {k: v for k, v in read.items() if k != "home"} == {
        k: v for k, v in plain.items() if k != "home"
    }


def test_defaults_read_as_one_would_write_them() -> None:
    fields = Settings.model_fields
    assert default_text("pool_timeout", fields["pool_timeout"]) == "5"
    assert default_text("database_prepare", fields["database_prepare"]) == "true"
    assert default_text("database_url", fields["database_url"]) == ""
    assert variables("openai_api_key", fields["openai_api_key"]) == [
        "TIDINGS_OPENAI_API_KEY",
        "OPENAI_API_KEY",
    ]


def test_every_error_has_a_code_of_its_own_and_a_sentence() -> None:
    codes = [error.code for error in every_error()]
    assert len(codes) == len(set(codes))
    for error in every_error():
        sentence = sentence_of(error)
        # engagement.md fixes the words of this one.
        assert sentence.endswith(".") or error.code == "answer_unreadable", error
        assert error().message == sentence


def test_every_mapped_status_is_of_an_error_that_exists() -> None:
    assert set(STATUS) <= set(every_error())
    assert {status_of(error) for error in every_error()} <= {
        400, 401, 403, 404, 405, 409, 412, 413, 415, 422, 429, 500, 502, 503,
    }  # fmt: skip


def test_the_readme_names_the_two_commands_and_make_has_them() -> None:
    readme = committed("README.md")
    assert {"demo", "test", "listings"} <= make_targets(ROOT / "Makefile")
    assert "make demo" in readme
    assert "make test" in readme


def test_every_setting_does_something() -> None:
    """A setting that no code reads is a promise that nobody keeps."""
    read = {
        node.attr
        for path in (ROOT / "src" / "tidings").rglob("*.py")
        if path.name != "settings.py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
    }
    assert [name for name in Settings.model_fields if name not in read] == []
