"""What is measured, by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.ai.engines.local.training.scores import Links, classes, mean, rouge_1


def test_classes():
    graded = classes(["a", "a", "b", "b"], ["a", "b", "b", "b"])
    assert graded.names == ("a", "b")
    assert graded.accuracy == 0.75
    assert graded.f1 == {"a": pytest.approx(2 / 3), "b": 0.8}
    assert graded.macro_f1 == pytest.approx((2 / 3 + 0.8) / 2)
    assert graded.confusion == [[1, 1], [0, 2]]


def test_a_class_nobody_named_counts():
    assert classes(["a", "b"], ["a", "a"]).f1["b"] == 0
    assert classes([], []).macro_f1 == 0


def test_links():
    assert (Links(1, 2, 2) + Links(1, 1, 1)).f == pytest.approx(2 / 3)
    assert Links().f == 0


def test_rouge():
    assert rouge_1("The cat sat.", "the cat") == pytest.approx(0.8)
    assert rouge_1("", "the cat") == 0
    assert mean([]) == 0


@given(st.text(), st.text())
def test_rouge_is_a_share(one, other):
    assert 0 <= rouge_1(one, other) <= 1
