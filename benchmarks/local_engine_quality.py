"""How good the local engine's summaries are on QMSum meetings, beside simple baselines.

    python benchmarks/local_engine_quality.py ../shared/data [--json]

Reads `DATA/meetings/qmsum-val.jsonl`. Each meeting is summarised alone. Shown over all meetings,
over the half that rules were tuned on, over the half that was only looked at later, and by genre:

- in spans: share of the segments picked that lie in a span which the annotators marked as the
  answer to a question about the meeting;
- overview R1 F: ROUGE-1 of the overview alone; a baseline gets as many words as it has;
- ROUGE-1 and ROUGE-L against the annotators' summary of the whole meeting, and ROUGE-1 against all
  their answers; every baseline gets as many words as the engine used;
- themes: share of the words of the topics shown that the annotators' topics and questions use, and
  of the annotators' topics, how many share a word with one shown;
- verbatim: share of quotes that are exact substrings of the segment they name (must be 1).
"""

import argparse
import json
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean
from typing import Any

from tidings.ai.engines.local import (
    Draft,
    Item,
    MeetingReading,
    Utterance,
    read_meeting,
    reduce_meetings,
)
from tidings.ai.engines.local.nouns import singular
from tidings.ai.engines.local.words import FUNCTION

AT = datetime(2024, 1, 1, tzinfo=UTC)
LISTS = ("goals", "challenges", "risks", "recommendations")
FOUND = (*LISTS, "decisions", "actions")
_WORD = re.compile(r"[a-z0-9]+")
_MARK = re.compile(r"\{[^{}]*\}")
Meeting = dict[str, Any]
Text = list[str]


def tokens(text: str) -> Text:
    """Lower-case words without transcript marks, as ROUGE counts them."""
    return _WORD.findall(_MARK.sub(" ", text.lower()))


def rouge_1(candidate: Text, reference: Text) -> tuple[float, float]:
    """ROUGE-1 recall and F1 (Lin 2004), without stemming or stop words."""
    common = sum((Counter(candidate) & Counter(reference)).values())
    return _recall_and_f(common, len(candidate), len(reference))


def rouge_l(candidate: Text, reference: Text) -> tuple[float, float]:
    """ROUGE-L recall and F1: the longest common subsequence of the two texts."""
    row = [0] * (len(reference) + 1)
    for word in candidate:
        before = 0
        for i, other in enumerate(reference, 1):
            above = row[i]
            row[i] = before + 1 if word == other else max(above, row[i - 1])
            before = above
    return _recall_and_f(row[-1], len(candidate), len(reference))


def _recall_and_f(common: int, candidate: int, reference: int) -> tuple[float, float]:
    if not common:
        return 0.0, 0.0
    recall, precision = common / reference, common / candidate
    return recall, 2 * recall * precision / (recall + precision)


def genre(meeting: Meeting) -> str:
    """product (AMI), academic (ICSI) or parliament, by how the speakers are called."""
    speakers = {t["speaker"] for t in meeting["meeting_transcripts"]}
    if "Project Manager" in speakers:
        return "product"
    return "academic" if any(s.startswith(("PhD", "Grad")) for s in speakers) else ("parliament")


def summarise(meeting: Meeting) -> tuple[Draft, float]:
    """The engine's draft of one meeting and the CPU seconds it took."""
    utterances = [
        Utterance(str(i), t["speaker"], t["content"])
        for i, t in enumerate(meeting["meeting_transcripts"])
    ]
    began = time.process_time()
    draft = reduce_meetings([MeetingReading("m", AT, "", read_meeting(utterances))])
    return draft, time.process_time() - began


def shown(draft: Draft, lists: Sequence[str]) -> list[Item]:
    """The overview's sentences and the lines of the lists."""
    return [*draft.overview, *(item for name in lists for item in getattr(draft, name))]


def spans(meeting: Meeting) -> set[int]:
    """Segments that answer one of the questions about the meeting."""
    return {
        i
        for query in meeting["specific_query_list"]
        for first, last in query["relevant_text_span"]
        for i in range(int(first), int(last) + 1)
    }


def baselines(meeting: Meeting, words: int, picks: int) -> dict[str, tuple[Text, list[int]]]:
    """Text of about `words` words, and `picks` segments, chosen without understanding."""
    lines = [tokens(t["content"]) for t in meeting["meeting_transcripts"]]
    spoken = [i for i, line in enumerate(lines) if len(line) >= 8]
    shuffled = random.Random(7).sample(spoken, len(spoken))
    longest = sorted(spoken, key=lambda i: -len(lines[i]))
    orders = {"lead": spoken, "random": shuffled, "longest": longest}
    return {
        name: ([w for i in order for w in lines[i]][:words], order[:picks])
        for name, order in orders.items()
    }


def topic_words(text: str) -> set[str]:
    """Content words of a topic, in the singular."""
    return {singular(w) for w in tokens(text) if w not in FUNCTION and len(w) > 2}


def theme_scores(topics: Sequence[str], meeting: Meeting) -> tuple[float, float]:
    """Share of our topics' words that the annotators use, and of their topics that ours touch."""
    theirs = [topic_words(t["topic"]) for t in meeting["topic_list"]]
    asked = [topic_words(q["query"]) for q in meeting["specific_query_list"]]
    known = set().union(*theirs, *asked)
    ours = [topic_words(t) for t in topics]
    if not ours:
        return 0.0, 0.0
    said = set().union(*ours)
    precision = len(said & known) / max(1, len(said))
    return precision, fmean(bool(words & said) for words in theirs)


def frequent_words(meeting: Meeting, count: int) -> list[str]:
    """The simple baseline for themes: the most frequent words that are not function words."""
    seen: Counter[str] = Counter()
    for turn in meeting["meeting_transcripts"]:
        seen.update({w for w in tokens(turn["content"]) if w not in FUNCTION and len(w) > 3})
    return [word for word, _ in seen.most_common(count)]


def measure(meeting: Meeting) -> dict[str, dict[str, float]]:
    """All figures of one meeting, by system."""
    draft, seconds = summarise(meeting)
    items, picked = shown(draft, LISTS), shown(draft, FOUND)
    text = [w for item in items for w in tokens(item.text)]
    segments = [int(item.segment_id) for item in picked]
    reference = tokens(meeting["general_query_list"][0]["answer"])
    answers = [w for q in meeting["specific_query_list"] for w in tokens(q["answer"])] + reference
    relevant = spans(meeting)
    systems = {"engine": (text, segments), **baselines(meeting, len(text), len(segments))}
    figures: dict[str, dict[str, float]] = {}
    for name, (words, chosen) in systems.items():
        recall_1, f_1 = rouge_1(words, reference)
        recall_l, f_l = rouge_l(words, reference)
        figures[name] = {
            "in spans": fmean(i in relevant for i in chosen) if chosen else 0.0,
            "R1 recall": recall_1,
            "R1 F": f_1,
            "RL recall": recall_l,
            "RL F": f_l,
            "R1 answers": rouge_1(words, answers)[0],
        }
    spoken = [
        i for i, t in enumerate(meeting["meeting_transcripts"]) if len(tokens(t["content"])) > 7
    ]
    figures["random"]["in spans"] = fmean(i in relevant for i in spoken)
    topics = [theme.topic for theme in draft.themes]
    for name, said in (("engine", topics), ("frequency", frequent_words(meeting, len(topics)))):
        precision, touched = theme_scores(said, meeting)
        figures.setdefault(name, {}).update({"theme words": precision, "topics touched": touched})
    overview = [w for item in draft.overview for w in tokens(item.text)]
    turns = meeting["meeting_transcripts"]
    figures["engine"] |= {
        "overview R1 F": rouge_1(overview, reference)[1],
        "verbatim": fmean(i.quote in turns[int(i.segment_id)]["content"] for i in picked),
        "lines": len(picked),
        "words": len(text),
        "ms": seconds * 1000,
    }
    lead = baselines(meeting, len(overview), 4)
    for name, (words, _) in lead.items():
        figures[name]["overview R1 F"] = rouge_1(words, reference)[1]
    return figures


def average(all_figures: Sequence[dict[str, dict[str, float]]]) -> dict[str, dict[str, float]]:
    """The mean over meetings of every figure of every system."""
    systems = dict.fromkeys(name for figures in all_figures for name in figures)
    return {
        name: {
            key: round(fmean(f[name][key] for f in all_figures if key in f.get(name, {})), 3)
            for key in dict.fromkeys(k for f in all_figures for k in f.get(name, {}))
        }
        for name in systems
    }


def table(result: dict[str, dict[str, float]], say: Callable[[str], None] = print) -> None:
    """Prints one line per figure, one column per system."""
    say(f"{'':16}" + "".join(f"{name:>11}" for name in result))
    for key in dict.fromkeys(k for figures in result.values() for k in figures):
        cells = (
            f"{figures[key]:11.3f}" if key in figures else " " * 11 for figures in result.values()
        )
        say(f"{key:16}" + "".join(cells))


def main() -> None:
    """Reads the arguments, measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", type=Path, help="the folder that holds meetings/qmsum-val.jsonl")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    arguments = parser.parse_args()
    lines = (arguments.data / "meetings" / "qmsum-val.jsonl").read_text("utf-8").splitlines()
    meetings = [json.loads(line) for line in lines]
    figures = [(genre(m), measure(m)) for m in meetings]
    results = {
        "all": average([f for _, f in figures]),
        "tuned on (every other meeting, from the first)": average([f for _, f in figures[::2]]),
        "held out (the others)": average([f for _, f in figures[1::2]]),
    }
    for name in ("product", "academic", "parliament"):
        results[name] = average([f for g, f in figures if g == name])
    if arguments.json:
        print(json.dumps(results, indent=2))
        return
    for name, result in results.items():
        print(f"\n{name}")
        table(result)


if __name__ == "__main__":
    main()
