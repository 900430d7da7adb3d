import inspect
import re

import pytest

from tidings.base import errors
from tidings.base.errors import FieldProblem, InputInvalid, RateExceeded, TidingsError

EVERY = [
    kind
    for kind in vars(errors).values()
    if inspect.isclass(kind) and issubclass(kind, TidingsError)
]


@pytest.mark.parametrize("kind", EVERY)
def test_an_error_says_its_sentence(kind: type[TidingsError]) -> None:
    error = kind()
    assert error.message == str(error) == (kind.__doc__ or "").strip().splitlines()[0]
    assert (error.errors, error.retry_after) == ([], None)


@pytest.mark.parametrize("kind", EVERY)
def test_a_code_is_lower_case_words_of_its_own(kind: type[TidingsError]) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", kind.code)
    assert [other.code for other in EVERY].count(kind.code) == 1


def test_where_it_is_raised_it_may_say_more() -> None:
    problems = [FieldProblem("domain", "is empty")]
    error = InputInvalid("domain is empty.", errors=problems)
    assert (error.message, error.errors) == ("domain is empty.", problems)
    assert RateExceeded(retry_after=2.5).retry_after == 2.5
