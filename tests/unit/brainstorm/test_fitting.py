"""Answers of providers held to what was asked."""

import time

import pytest

from tidings.brainstorm.effects import suggestions
from tidings.brainstorm.fitting import fit
from tidings.brainstorm.likeness import groups
from tidings.brainstorm.shapes import Source

SOURCE = Source(topic="x", techniques=["combine", "adapt"], ideas=["a", "b", "c"], picked=[1])


def offered(technique, *texts):
    return [{"technique": technique, "text": text} for text in texts]


def test_three_to_five_ideas_for_each_technique():
    many = [*offered("adapt", *"123456", "1"), *offered("combine", *"789")]
    found = fit("generate", SOURCE, {"suggestions": many})["suggestions"]
    assert [one["text"] for one in found] == [*"789", *"12345"]
    for wrong in (
        [*many, *offered("fly", "x")],
        [*offered("adapt", *"123"), *offered("combine", "7", "8", "8")],
    ):
        with pytest.raises(ValueError, match="technique"):
            fit("generate", SOURCE, {"suggestions": wrong})


def test_an_idea_is_in_one_cluster():
    told = [{"name": n, "ideas": ideas} for n, ideas in (("A", [0, 1, 0]), ("B", [1]), ("C", [2]))]
    assert fit("cluster", SOURCE, {"clusters": told})["clusters"] == [
        {"name": "A", "ideas": [0, 1]},
        {"name": "C", "ideas": [2]},
    ]
    with pytest.raises(ValueError, match="two to ten"):
        fit("cluster", SOURCE, {"clusters": told[:2]})


def test_it_is_about_what_was_asked():
    """Else an engine's words would stand on another idea than the one that was expanded."""
    for operation in ("expand", "variations"):
        assert fit(operation, SOURCE, {"idea": 0, "n": 1}) == {"idea": 1, "n": 1}
    assert fit("synthesize", SOURCE, {"ideas": [0, 2]}) == {"ideas": [1]}
    scores = [{"idea": n} for n in (0, 1, 2, 1)]
    assert fit("score", SOURCE, {"scores": scores}) == {"scores": [{"idea": 1}]}
    every = Source(topic="x", ideas=["a", "b", "c"])
    assert len(fit("score", every, {"scores": scores})["scores"]) == 3
    with pytest.raises(ValueError, match="Score"):
        fit("score", SOURCE, {"scores": scores[:1]})


def test_pairs_are_of_two():
    told = [
        {"ideas": ideas, "similarity": likeness}
        for ideas, likeness in (([0, 1], 0.8), ([1, 0], 0.9), ([2, 2], 1.0), ([0, 2], 0.7))
    ]
    assert fit("similar", SOURCE, {"pairs": told}) == {"pairs": [told[1]]}
    assert len(fit("connections", SOURCE, {"connections": told})["connections"]) == 2
    assert fit("gaps", SOURCE, {"suggestions": []}) == {"suggestions": []}


def test_what_can_become_an_idea():
    assert suggestions("gaps", {"suggestions": ["Cost?"]}) == [("Cost?", "gap")]
    assert suggestions("expand", {"next_steps": ["Call"]}) == [("Call", "next step")]
    assert suggestions("generate", {"suggestions": offered("put_to_use", "x")}) == [
        ("x", "put to use")
    ]
    assert suggestions("similar", {"pairs": []}) == []


def test_a_full_board_is_clustered_soon():
    texts = [f"w{n % 37} v{n % 41} u{n % 43}" for n in range(1000)]
    begun = time.process_time()
    found = groups(texts, 10)
    assert sorted(n for group in found for n in group) == list(range(1000))
    assert len(found) == 10
    assert time.process_time() - begun < 30  # by every pair anew, minutes
