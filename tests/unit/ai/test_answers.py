"""Reading answers."""

import contextlib
import json
from typing import Literal

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.ai.answers import LONGEST_ANSWER, AnswerBad, read_answer


class Goal(pydantic.BaseModel):
    text: str = pydantic.Field(max_length=100)
    kind: Literal["goal", "risk"] = "goal"


class Answer(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid")

    goals: list[Goal]


def bad(text: str) -> AnswerBad:
    with pytest.raises(AnswerBad) as caught:
        read_answer(text, Answer)
    return caught.value


def test_a_good_answer_is_an_instance_of_the_schema() -> None:
    assert read_answer('{"goals": [{"text": "Ship"}]}', Answer).goals[0].text == "Ship"


@pytest.mark.parametrize("wrapped", ["```json\n{}\n```", "  ```\n{}\n```\n", "{}"])
def test_a_markdown_fence_around_it_is_taken_off(wrapped: str) -> None:
    assert read_answer(wrapped.replace("{}", '{"goals": []}'), Answer).goals == []


@pytest.mark.parametrize(
    "text",
    ["", "I am happy to help!", '{"goals": [{"te', "NaN", '{"goals": []} and', "[" * 100_000],
)
def test_broken_json_is_bad(text: str) -> None:
    assert bad(text).reason == "The answer is not complete, valid JSON."


def test_a_nul_or_a_lone_surrogate_is_bad() -> None:
    assert "NUL" in bad('{"goals": [{"text": "a\\u0000b"}]}').reason
    assert bad('{"goals": [{"text": "a\\ud800b"}]}').reason
    assert bad('{"goals": [{"text": "a\ud800b"}]}').reason
    assert "NUL" in bad('{"go\\u0000als": []}').reason


def test_an_answer_without_end_is_bad() -> None:
    assert "longer than" in bad(json.dumps({"goals": [{"text": "x" * LONGEST_ANSWER}]})).reason


def test_a_misfit_tells_the_provider_where_and_the_log_only_of_what_kind() -> None:
    answer = {"goals": [{"text": "the secret plan", "kind": "the secret plan"}], "the secret": 1}
    error = bad(json.dumps(answer))
    assert "goals.0.kind: Input should be 'goal' or 'risk'" in error.feedback
    assert error.reason == (
        "The answer does not fit the schema (2 problems: extra_forbidden, literal_error)."
    )
    assert "secret" not in error.reason


def test_many_problems_are_told_in_short() -> None:
    error = bad(json.dumps({"goals": [{}] * 500}))
    assert error.feedback.count("Field required") == 10
    assert "500 problems" in error.reason


@given(st.text() | st.binary().map(lambda b: b.decode("latin-1")))
def test_whatever_comes_is_read_or_bad(text: str) -> None:
    with contextlib.suppress(AnswerBad):
        assert isinstance(read_answer(text, Answer), Answer)
