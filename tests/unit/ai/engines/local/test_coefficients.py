"""The files that ship: small, text, and saying where they come from."""

from pathlib import Path

import pytest

from tidings.ai.engines.local import linear
from tidings.ai.engines.local.linear import Linear, load, parse, probability, shares, write
from tidings.ai.engines.local.training.command import RECIPES, SHIPPED

MOST = 1_000_000
"""Bytes of all of them together."""


def test_they_are_small():
    files = sorted(SHIPPED.iterdir())
    assert [file.stem for file in files] == sorted(RECIPES)
    assert sum(file.stat().st_size for file in files) < MOST


@pytest.mark.parametrize("name", RECIPES)
def test_they_say_where_they_come_from(name):
    text = (SHIPPED / f"{name}.txt").read_text("utf-8")
    about = [line.removeprefix("#! ") for line in text.splitlines() if line.startswith("#! ")]
    assert about == list(RECIPES[name].about)
    assert "tidings-train" in " ".join(about)
    assert write(parse(text), about) == text


def test_they_are_read_once():
    assert load("replies") is load("replies")
    assert Path(linear.__file__).parent == SHIPPED.parent


def test_numbers():
    model = Linear((0.5,), {"a": (1.0,), "b": (-0.004,), "#c": (-2.0,)})
    assert parse(write(model, ["made up"])) == Linear((0.5,), {"a": (1.0,), "#c": (-2.0,)})
    assert model.score(["a", "#c", "unheard of"]) == -0.5
    assert Linear((0.0, 1.0), {"a": (2.0, -1.0)}).scores(["a", "x"]) == (2.0, 0.0)
    assert probability(0) == 0.5
    assert probability(-1e9) == 0
    assert probability(1e9) == 1
    assert shares(1e9, -1e9) == (1.0, 0.0)
