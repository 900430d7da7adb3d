"""The local engine's answers: each fits the shape a provider has to answer in."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidings.base.errors import ScoreUnsupported
from tidings.brainstorm.conversation import open_question
from tidings.brainstorm.likeness import groups, likenesses, pairs, shared_words, vectors
from tidings.brainstorm.operations import OPERATIONS
from tidings.brainstorm.shapes import Source, known_numbers, with_ids
from tidings.brainstorm.techniques import QUESTIONS, TECHNIQUES

IDEAS = [
    "Cut the price of the pilot",
    "Do not cut the price of the pilot, ever",
    "Train the warehouse team",
    "After the training, visit the warehouse team",
    "Ask the supplier for data",
]


def source(operation, ideas=IDEAS, **more):
    fields = {"techniques": list(TECHNIQUES["scamper"])} if operation == "generate" else {}
    if operation in ("expand", "variations"):
        fields["picked"] = [0]
    if operation == "synthesize":
        fields["picked"] = [0, 1]
    return Source(topic="How do we win pilots?", ideas=list(ideas), **(fields | more))


@pytest.mark.parametrize("name", [name for name in OPERATIONS if name != "score"])
@settings(max_examples=25, deadline=None)
@given(ideas=st.lists(st.text(min_size=1, max_size=2000), min_size=2, max_size=12))
def test_answers_fit(name, ideas):
    operation = OPERATIONS[name]
    asked = source(name, ideas)
    answer = operation.local(asked)
    accepted = operation.accept(asked, operation.schema.model_validate(answer))
    assert known_numbers(accepted, len(ideas))
    assert operation.local(asked) == answer
    assert operation.render(asked)


def test_each_technique_asks_three_to_five_questions():
    assert {name for names in TECHNIQUES.values() for name in names} == set(QUESTIONS)
    assert all(3 <= len(questions) <= 5 for questions in QUESTIONS.values())
    told = OPERATIONS["generate"].local(source("generate"))["suggestions"]
    assert "“How do we win pilots?”" in told[0]["text"]
    avoid = [one["text"] for one in told[1:]]
    assert OPERATIONS["generate"].local(source("generate", avoid=avoid))["suggestions"] == told[:1]


def test_likeness():
    near = likenesses(vectors(["Train the team", "train teams!", "Ask for data"]))
    assert near == [{1: pytest.approx(1)}, {0: pytest.approx(1)}, {}]
    assert vectors(["the and"]) == [{}]
    assert [pair[:2] for pair in pairs(["Train the team", "train teams!", "Ask"], 0.75)] == [(0, 1)]
    assert groups(IDEAS, 3) == [[0, 1], [2, 3], [4]]
    assert shared_words([IDEAS[2], IDEAS[3]], 2) == ["train", "warehouse"]


def test_connections_and_clusters():
    found = OPERATIONS["connections"].local(source("connections"))["connections"]
    assert {(tuple(one["ideas"]), one["kind"]) for one in found} == {
        ((0, 1), "conflict"),
        ((2, 3), "dependency"),
    }
    told = OPERATIONS["cluster"].local(source("cluster", count=3))["clusters"]
    assert sorted(number for one in told for number in one["ideas"]) == [0, 1, 2, 3, 4]
    assert told[0]["name"] == "Cut · price · pilot"
    assert not OPERATIONS["similar"].local(source("similar"))["pairs"]


def test_gaps_are_what_nobody_speaks_of():
    told = OPERATIONS["gaps"].local(source("gaps"))
    assert "cost" not in told["missing_perspectives"]
    assert "law" in told["missing_perspectives"]
    every = OPERATIONS["gaps"].local(
        source("gaps", ["team cost week risk measure software contract partner"])
    )
    assert every["missing_perspectives"] == []
    assert len(every["suggestions"]) == 3


def test_scores_are_refused():
    with pytest.raises(ScoreUnsupported, match="provider"):
        OPERATIONS["score"].local(source("score"))


def test_a_provider_names_only_what_it_was_told():
    operation = OPERATIONS["synthesize"]
    answer = operation.schema.model_validate({"ideas": [0, 9], "title": "x", "text": "y"})
    with pytest.raises(ValueError, match="from 0 to 4"):
        operation.accept(source("synthesize"), answer)


def test_ids_take_the_place_of_numbers():
    told = {"clusters": [{"name": "x", "ideas": [1, 0]}], "idea": 1, "n": 2}
    assert with_ids(told, ["a", "b"]) == {
        "clusters": [{"name": "x", "idea_ids": ["b", "a"]}],
        "idea_id": "b",
        "n": 2,
    }


def test_the_source_is_told_whole():
    text = OPERATIONS["cluster"].render(
        source("cluster", description="D", count=3, context=["Ada: hi"], avoid=["Old"], picked=[1])
    )
    for part in ("Description: D", "Wanted: 3", "Ada: hi", "[0] Cut", "About: [1]", "Old"):
        assert part in text


@pytest.mark.parametrize(
    ("bodies", "question"),
    [
        (["No one asks."], None),
        (["First? Second? Done.", "Yes."], "Second?"),
        (["??"], None),
        (["When?", "Soon.\n> When?\n> And who?"], "When?"),
        (["x" * 400 + "?"], "x" * 300),
    ],
)
def test_the_open_question(bodies, question):
    assert open_question(bodies) == question
