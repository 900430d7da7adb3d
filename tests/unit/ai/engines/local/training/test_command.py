"""`tidings-train` makes the same files of the same data."""

import sys

import pytest

from tidings.ai.engines.local.linear import parse
from tidings.ai.engines.local.training import command, replies, requests, sentiment
from tidings.ai.engines.local.training.chat import days
from tidings.ai.engines.local.training.sources import plain_chat, plain_queries, rated, talk

from factories.labelled import make_labelled


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return make_labelled(tmp_path_factory.mktemp("labelled"))


def train(data, *arguments):
    return command.app([str(data), *map(str, arguments)])


def test_the_same_data_makes_the_same_files(data, tmp_path, capsys):
    assert train(data, "--into", tmp_path / "one") == 0
    assert "requests: " in capsys.readouterr().out
    assert train(data, "--into", tmp_path / "one", "--check") == 0
    files = sorted((tmp_path / "one").iterdir())
    assert [file.name for file in files] == ["replies.txt", "requests.txt", "sentiment.txt"]
    assert parse(files[2].read_text("utf-8")).weights
    files[0].write_text("something else", "utf-8")
    assert train(data, "--into", tmp_path / "one", "--only", "replies", "--check") == 1
    assert files[0].read_text("utf-8") == "something else"
    assert "would differ" in capsys.readouterr().out


def test_it_is_a_program(data, tmp_path, monkeypatch):
    arguments = ["--only", "requests", "--into", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", ["tidings-train", str(data), *arguments])
    with pytest.raises(SystemExit) as ended:
        command.main()
    assert ended.value.code == 0
    assert [file.name for file in tmp_path.iterdir()] == ["requests.txt"]


def test_cross_validation(data):
    assert 0 <= requests.cross_validate(data).accuracy <= 1
    assert sum(map(sum, sentiment.cross_validate(data).confusion)) == len(talk())
    links = replies.cross_validate(data)
    assert (links.given, links.right) == (14, 14)
    assert links.matched >= 4  # the notices and what opens the day


def test_what_is_read(data):
    assert {target for _, target in rated(data)} == {0, 1, 2}
    assert plain_queries(data) == [["what", "is", "on", "my", "calendar"]]
    assert ["ben", "nods"] not in plain_chat(data)
    assert ["nods"] in plain_chat(data)
    first = days(data)[0]
    assert [one.speaker for one in first.said] == ["", "anna", "ben", "carl", "anna", "ben", "dora"]
    assert first.answers[2] == frozenset([1])
