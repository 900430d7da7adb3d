"""Prompt files and their versions."""

import sys
from pathlib import Path

import pydantic
import pytest

from tidings.ai.operation import Operation
from tidings.ai.prompts import Prompt, load_prompt, version_of


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    folder = tmp_path / "a_domain"
    (folder / "prompts").mkdir(parents=True)
    (folder / "__init__.py").touch()
    (folder / "prompts" / "read_it.md").write_text("\nRead “it”.\n\n", encoding="utf-8")
    (folder / "prompts" / "empty.md").write_text("\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "a_domain", raising=False)
    return "a_domain"


def test_a_prompt_is_the_text_of_its_file(package: str) -> None:
    prompt = load_prompt(package, "read_it")
    assert prompt == Prompt("read_it", "Read “it”.", version_of("Read “it”."))
    assert len(prompt.version) == 12
    int(prompt.version, 16)


def test_only_plain_names_are_looked_up(package: str) -> None:
    for name in ("../read_it", "Read", "", "a.b"):
        with pytest.raises(ValueError, match="not the name of a prompt"):
            load_prompt(package, name)
    with pytest.raises(FileNotFoundError):
        load_prompt(package, "absent")


def test_an_empty_prompt_is_refused(package: str) -> None:
    with pytest.raises(ValueError, match="is empty"):
        load_prompt(package, "empty")


def test_parts_of_a_version_do_not_run_together() -> None:
    assert version_of("ab", "c") != version_of("a", "bc") != version_of("abc")


def _operation(text: str, schema: type[pydantic.BaseModel]) -> Operation[str, str]:
    prompt = Prompt("read_it", text, version_of(text))
    return Operation("a.read_it", prompt, schema, str, str, lambda s, a: s, "1")


def test_the_prompt_version_of_an_operation_changes_with_the_words_and_with_the_schema() -> None:
    class One(pydantic.BaseModel):
        text: str

    class Two(pydantic.BaseModel):
        text: str
        more: int

    versions = {
        _operation(text, schema).prompt_version
        for text in ("Read it.", "Read it!")
        for schema in (One, Two)
    }
    assert len(versions) == 4
    assert _operation("Read it.", One).prompt_version == _operation("Read it.", One).prompt_version
