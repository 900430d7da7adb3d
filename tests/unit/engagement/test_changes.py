"""What is new, resolved and gone between two complete runs."""

from uuid import UUID

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tidings.engagement.changes import Decision, compare
from tidings.engagement.record import (
    Change,
    Changes,
    Evidence,
    Summary,
    SummaryEvidence,
    SummaryTheme,
)

MEETING = UUID(int=1)
Lines = dict[str, str]


def evidence(quote: str, segment: int = 1) -> Evidence:
    return Evidence(MEETING, UUID(int=segment), quote)


def summary(
    goals: Lines | None = None, risks: Lines | None = None, themes: tuple[str, ...] = ()
) -> Summary:
    """Lines by text, each with its one quote."""
    goals, risks = goals or {}, risks or {}
    return Summary(
        goals=list(goals),
        risks=list(risks),
        themes=[SummaryTheme(topic, 1) for topic in themes],
        evidence=SummaryEvidence(
            goals=[[evidence(quote)] for quote in goals.values()],
            risks=[[evidence(quote)] for quote in risks.values()],
            themes=[[evidence(topic)] for topic in themes],
        ),
    )


def told(changes: list[Change]) -> list[tuple[str, str]]:
    return [(change.list, change.text) for change in changes]


texts = st.dictionaries(st.text("abcdef ", min_size=1, max_size=30), st.text("xyz ", max_size=20))
summaries = st.builds(summary, texts, texts)


def test_the_first_run_has_nothing_to_compare_with() -> None:
    assert compare(None, summary({"Ship it": "ship it"})) == Changes()


@given(summaries)
def test_nothing_changes_against_itself(one: Summary) -> None:
    assert compare(one, one) == Changes()


@given(summaries, summaries)
def test_every_change_is_a_line_of_the_run_it_names(before: Summary, now: Summary) -> None:
    changes = compare(before, now)
    assert set(told(changes.new)) <= {("goals", t) for t in now.goals} | {
        ("risks", t) for t in now.risks
    }
    assert set(told(changes.gone)) <= {("goals", t) for t in before.goals} | {
        ("risks", t) for t in before.risks
    }
    assert changes.resolved == []


def test_new_and_gone_by_list() -> None:
    before = summary({"Cut reporting time": "cut it"}, {}, ("reporting",))
    now = summary({}, {"The export may be late": "late"}, ("export",))
    changes = compare(before, now)
    assert told(changes.new) == [("themes", "export"), ("risks", "The export may be late")]
    assert told(changes.gone) == [("themes", "reporting"), ("goals", "Cut reporting time")]
    assert changes.new[1].evidence == [evidence("late")]


def test_wording_may_drift_while_the_source_stands() -> None:
    before = summary({"They want to cut reporting time": "cut the reporting time in half"})
    now = summary({"The company aims to halve reporting": "Cut the  reporting time in half."})
    assert compare(before, now) == Changes()


def test_a_short_line_is_compared_by_its_words_alone() -> None:
    before = summary({"Ship in May": "we ship in May or June"})
    now = summary({"Ship in June": "we ship in May or June"})
    assert told(compare(before, now).new) == [("goals", "Ship in June")]


def test_case_and_the_full_stop_do_not_count() -> None:
    changes = compare(summary({"Ship It.": "a b"}), summary({"ship it": "c d"}))
    assert changes == Changes()


def test_what_a_decision_settles_is_resolved_with_its_evidence() -> None:
    before = summary(risks={"The nightly export arrives late": "late"})
    settling = Decision("The nightly export moves to an hourly feed", [evidence("hourly", 2)])
    unrelated = Decision("Lunch is on Friday", [evidence("lunch", 3)])
    changes = compare(before, summary(), [unrelated, settling])
    assert told(changes.resolved) == [("risks", "The nightly export arrives late")]
    assert changes.resolved[0].evidence == [evidence("hourly", 2)]
    assert changes.gone == []


def test_the_closest_decision_is_the_one() -> None:
    before = summary(risks={"nightly export arrives late": "late"})
    close = Decision("nightly export arrives hourly", [evidence("close", 2)])
    closer = Decision("nightly export arrives late no more", [evidence("closer", 3)])
    (resolved,) = compare(before, summary(), [close, closer, close]).resolved
    assert resolved.evidence == [evidence("closer", 3)]


def test_a_decision_made_of_the_line_itself_settles_nothing() -> None:
    before = summary(risks={"The nightly export arrives late": "late"})
    same = Decision("The nightly export arrives late", [evidence("late", 1)])
    assert told(compare(before, summary(), [same]).gone) == [
        ("risks", "The nightly export arrives late")
    ]


def test_a_line_of_ordinary_words_is_settled_by_nothing() -> None:
    before = summary(risks={"We do it": "do it"})
    changes = compare(before, summary(), [Decision("We do it", [evidence("x", 2)])])
    assert (told(changes.gone), changes.resolved) == ([("risks", "We do it")], [])


def test_a_theme_is_never_resolved() -> None:
    before = summary(themes=("nightly export",))
    decision = Decision("nightly export is over", [evidence("x", 2)])
    assert told(compare(before, summary(), [decision]).gone) == [("themes", "nightly export")]


def test_an_older_record_with_less_evidence_is_compared_all_the_same() -> None:
    before = msgspec.structs.replace(summary({"Ship it": "x"}), evidence=SummaryEvidence())
    assert told(compare(before, summary()).gone) == [("goals", "Ship it")]
