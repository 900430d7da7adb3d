"""`tidings bench quality`: how good the local engine is on labelled conversations."""

import csv
import json as text_json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter

from tidings.ai.engines.local.extract import pick
from tidings.ai.engines.local.feelings import lexicon_mood
from tidings.ai.engines.local.tokens import tokens
from tidings.ai.engines.local.training import replies, requests
from tidings.ai.engines.local.training.scores import classes, mean, rouge_1
from tidings.ai.engines.local.utterances import Said, read_utterances
from tidings.base.errors import InputInvalid
from tidings.cli.output import Json, print_json, print_table, say

LEAD = 3  # sentences that are picked, and messages of the baseline


class Grade(msgspec.Struct, frozen=True):
    """One figure, 0 to 1, with the least it has to be; baselines have none."""

    name: str
    value: float
    least: float | None = None


def quality(
    data: Annotated[Path, Parameter(help="The folder with grading/, requests/ and chat/.")],
    /,
    *,
    quick: Annotated[bool, Parameter(negative="", help="Leave out what needs training.")] = False,
    json: Json = False,
) -> int:
    """Grade the local engine on DATA, a folder of labelled conversations as published: sentiment
    and summaries as they ship; requests and reply links cross-validated, trained anew for that.

    Example: tidings bench quality ../shared/data --quick
    """
    try:
        grades = [*_sentiment(data), *_summaries(data), *(() if quick else _trained(data))]
    except OSError as error:
        raise InputInvalid(f"{error.filename} cannot be read: {error.strerror}.") from error
    missed = [one.name for one in grades if one.least is not None and one.value < one.least]
    if json:
        print_json(grades)
    else:
        print_table(("What", "Value", "At least"), map(_row, grades))
    if missed:
        say(f"Below what it has to be: {', '.join(missed)}.")
    return 1 if missed else 0


def _row(grade: Grade) -> tuple[str, str, str]:
    least = "" if grade.least is None else f"{grade.least:.2f}"
    return grade.name, f"{grade.value:.3f}", least


def _sentiment(data: Path) -> Iterator[Grade]:
    """The engine, everything called the most frequent class, and the words of the lexicon alone."""
    right, engine, words = [], [], []
    for dialogue in _dialogues(data):
        said = [one for one, _ in dialogue]
        right += [label for _, label in dialogue]
        engine += [one.sentiment for one in read_utterances(said)]
        words += [lexicon_mood(tokens(one.text)) for one in said]
    most = max(sorted(set(right)), key=right.count)
    for name, given, floors in (
        ("Sentiment", engine, (0.50, 0.48)),
        ("Sentiment, lexicon alone (VADER's way)", words, (None, None)),
        (f"Sentiment, majority (all {most})", [most] * len(right), (None, None)),
    ):
        graded = classes(right, given)
        yield Grade(f"{name}: accuracy", graded.accuracy, floors[0])
        yield Grade(f"{name}: macro-F1", graded.macro_f1, floors[1])
        if given is engine:
            for row, counts in zip(graded.names, graded.confusion, strict=True):
                total = max(1, sum(counts))
                for column, count in zip(graded.names, counts, strict=True):
                    yield Grade(f"{row} read as {column}", count / total)


def _dialogues(data: Path) -> list[list[tuple[Said, str]]]:
    found: defaultdict[str, list[tuple[Said, str]]] = defaultdict(list)
    with (data / "grading" / "meld-dev.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            said = Said(row["Speaker"], row["Utterance"])
            found[row["Dialogue_ID"]].append((said, row["Sentiment"]))
    return list(found.values())


def _summaries(data: Path) -> Iterator[Grade]:
    """ROUGE-1 of what the engine picks, and of the first messages, against people's summaries."""
    ours, lead = [], []
    lines = (data / "grading" / "dialogsum-dev.jsonl").read_text("utf-8").splitlines()
    for one in map(text_json.loads, lines):
        turns = (turn.partition(": ") for turn in one["dialogue"].splitlines())
        said = [Said(speaker, text) for speaker, _, text in turns]
        ours.append(rouge_1(" ".join(p.text for p in pick(said, LEAD)), one["summary"]))
        lead.append(rouge_1(" ".join(s.text for s in said[:LEAD]), one["summary"]))
    yield Grade("Summary: ROUGE-1 F1", mean(ours), mean(lead))
    yield Grade("Summary, first three messages: ROUGE-1 F1", mean(lead))


def _trained(data: Path) -> Iterator[Grade]:
    say("Training for cross-validation; this takes minutes.")
    asked = requests.cross_validate(data)
    yield Grade("Requests, cross-validated: F1", asked.f1["request"], 0.76)
    yield Grade("Requests, cross-validated: macro-F1", asked.macro_f1)
    links = replies.cross_validate(data)
    yield Grade("Reply links, by day: precision", links.matched / max(1, links.given))
    yield Grade("Reply links, by day: recall", links.matched / max(1, links.right))
    yield Grade("Reply links, by day: F1", links.f, 0.62)
