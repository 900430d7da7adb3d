"""The two trainers learn what is plain to see, and the same each time."""

from tidings.ai.engines.local.training.fit import Example, Rates, fit
from tidings.ai.engines.local.training.folds import folds
from tidings.ai.engines.local.training.rank import Choice, fit_choices

LOOSE = Rates(alpha=0.5, l1=0.01, least=2)


def test_classes_are_told_apart():
    kinds = [("sun", 0), ("rain", 1), ("snow", 2)] * 20
    examples = [Example([word, "weather"], target) for word, target in kinds]
    examples.append(Example(["seldom"], 1))
    model = fit(examples, 2, LOOSE)
    for word, target in kinds[:3]:
        scores = (0.0, *model.scores([word, "weather"]))
        assert scores.index(max(scores)) == target
    assert "seldom" not in model.weights
    assert fit(examples, 2, LOOSE) == model


def test_l1_leaves_out_what_tells_nothing():
    examples = [Example(["noise", "yes" if i % 2 else "no"], i % 2) for i in range(40)]
    assert set(fit(examples, 1, Rates(alpha=0.5, l1=1.0)).weights) == {"yes", "no"}


def test_the_right_option_is_found():
    choices = [
        Choice([["near"], ["far", "named"], ["far"]], frozenset([1])),
        Choice([["near", "named"], ["far"]], frozenset([0])),
        Choice([["near"], ["far"]], frozenset()),
    ]
    model = fit_choices(choices * 20)
    assert model.score(["far", "named"]) > model.score(["near"]) > model.score(["far"])
    assert fit_choices(choices * 20) == model


def test_folds_hold_each_out_once():
    held = [one for part, rest in folds(range(10), 3) for one in part if one not in rest]
    assert sorted(held) == list(range(10))
