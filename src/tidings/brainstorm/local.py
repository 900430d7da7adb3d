"""The local engine's answers: questions that prompt people, and likeness of words.

It invents nothing: what is not in the texts it asks. Pure functions of the source.
"""

import math
import re

from tidings.base.errors import ScoreUnsupported
from tidings.brainstorm.likeness import groups, pairs, shared_words, terms
from tidings.brainstorm.shapes import Answer, Source
from tidings.brainstorm.techniques import LENSES, QUESTIONS

VERSION = "local-1"
DUPLICATE = 0.75
RELATED = 0.2
_MOST_PAIRS = 50
_SHOWN = 160  # characters of a text within a question
_AGAINST = frozenset("no not never without stop drop remove avoid cancel less fewer end".split())
_AFTER = re.compile(r"\b(?:after|once|requires?|needs?|depends on|based on|then)\b", re.IGNORECASE)


def generate(source: Source) -> Answer:
    """Three or four questions for each technique, those that are on the board left out."""
    avoid = {text.casefold() for text in source.avoid}
    asked = [
        {"technique": technique, "text": question.replace("{topic}", _short(source.topic, 120))}
        for technique in source.techniques
        for question in QUESTIONS[technique]
    ]
    fresh = [one for one in asked if one["text"].casefold() not in avoid]
    return {"suggestions": fresh or asked}


def cluster(source: Source) -> Answer:
    """Groups by likeness, named by the words they share."""
    count = len(source.ideas)
    wanted = source.count or min(10, max(2, round(math.sqrt(count))))
    named: list[Answer] = []
    for group in groups(source.ideas, min(wanted, count)):
        words = shared_words([source.ideas[number] for number in group]) or ["other ideas"]
        named.append({"name": " · ".join(words)[:80].capitalize(), "ideas": group})
    return {"clusters": named}


def expand(source: Source) -> Answer:
    """The questions that lead from an idea to a plan."""
    idea = _short(source.ideas[source.picked[0]])
    return {
        "idea": source.picked[0],
        "description": f"“{idea}”: say in two sentences who does what, and what is different then.",
        "benefits": ["Who gains from it first?", "What does it save, and how much?"],
        "challenges": [
            {
                "challenge": "What is the likeliest reason that it fails?",
                "mitigation": "What would show that early, and what would you do then?",
            },
            {
                "challenge": "Who has to agree and might not?",
                "mitigation": "What would they need to see?",
            },
        ],
        "next_steps": [
            "What is the smallest try, and what would it prove?",
            "Who does it, and by when?",
        ],
    }


def variations(source: Source) -> Answer:
    """A question for each way to turn an idea."""
    idea = _short(source.ideas[source.picked[0]])
    others = [n for n in range(len(source.ideas)) if n != source.picked[0]]
    partner = _short(source.ideas[others[0]], 80) if others else "what is done already"
    asked = {
        "simplified": f"What is the smallest form of “{idea}” that still helps?",
        "amplified": f"What would “{idea}” be at ten times the size?",
        "combined": f"What if “{idea}” came together with “{partner}”?",
        "opposite": f"What is the opposite of “{idea}”, and when would it be right?",
        "alternative": f"What else would reach what “{idea}” is for?",
    }
    texts = [{"technique": kind, "text": text[:300]} for kind, text in asked.items()]
    return {"idea": source.picked[0], "suggestions": texts}


def synthesize(source: Source) -> Answer:
    """The picked ideas in one sentence, under the words they share."""
    texts = [source.ideas[number] for number in source.picked]
    title = " · ".join(shared_words(texts)) or _short(source.topic, 120)
    room = max(20, 500 // len(texts))
    return {
        "ideas": source.picked,
        "title": title[:120].capitalize(),
        "text": "Together: " + "; ".join(_short(text, room) for text in texts)[:580],
    }


def gaps(source: Source) -> Answer:
    """The perspectives that no word of the board shows, and the questions to take them."""
    said = {word for text in source.ideas for word in terms(text)}
    missing = [
        (name, question)
        for name, (words, question) in LENSES.items()
        if not said & set(terms(words))
    ]
    rest = [(n, q) for n, (_, q) in LENSES.items() if (n, q) not in missing]
    asked = [*missing, *rest][: max(3, min(5, len(missing)))]
    return {
        "missing_perspectives": [name for name, _ in missing],
        "blind_spots": [f"No idea speaks of {name}." for name, _ in missing[:3]],
        "suggestions": [question for _, question in asked],
    }


def score(source: Source) -> Answer:
    """Refused: what words an idea has says nothing of what it is worth."""
    raise ScoreUnsupported


def similar(source: Source) -> Answer:
    """Pairs that are nearly the same in their words, and neither says "not" alone."""
    ideas = source.ideas
    alike = pairs(ideas, DUPLICATE)
    found = [one for one in alike if _kind(ideas[one[0]], ideas[one[1]]) != "conflict"]
    told = [{"ideas": [i, j], "similarity": min(1.0, like)} for i, j, like in found]
    return {"pairs": told[:_MOST_PAIRS]}


def connections(source: Source) -> Answer:
    """Ideas that share words: alike, one against the other, or one after the other."""
    told = []
    for i, j, _ in pairs(source.ideas, RELATED)[:_MOST_PAIRS]:
        one, other = source.ideas[i], source.ideas[j]
        words = shared_words([one, other])
        kind = _kind(one, other)
        told.append({"ideas": [i, j], "kind": kind, "reason": f"Both speak of {words[0]}."})
    return {"connections": told}


def _kind(one: str, other: str) -> str:
    against = [bool(_AGAINST & set(re.findall(r"\w+", text.casefold()))) for text in (one, other)]
    if against[0] != against[1]:
        return "conflict"
    return "dependency" if _AFTER.search(f"{one} {other}") else "similarity"


def _short(text: str, longest: int = _SHOWN) -> str:
    text = " ".join(text.split())
    return text if len(text) <= longest else text[: longest - 1].rsplit(" ", 1)[0] + "…"
