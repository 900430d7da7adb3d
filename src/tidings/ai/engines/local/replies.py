"""Which message each one answers.

A linear model picks, for each message, among the messages before it that it may answer and a new
beginning. Trained on the links of irc-disentanglement (Kummerfeld et al. 2019).
"""

from collections.abc import Sequence

from tidings.ai.engines.local.linear import Linear, load
from tidings.ai.engines.local.reply_features import Room
from tidings.ai.engines.local.utterances import Said

_NOTICE = "==="  # how a chat log marks who came and went


def reply_links(said: Sequence[Said]) -> list[int | None]:
    """For each message the index of the one it answers, or None where it begins something new.

    `said` is in order of time; an answer is always to an earlier message.
    """
    return links(load("replies"), said)


def links(model: Linear, said: Sequence[Said]) -> list[int | None]:
    """The same by a given model."""
    room = Room()
    found: list[int | None] = []
    for i, one in enumerate(said):
        if is_notice(one):
            found.append(None)
            continue
        line = room.hear(i, one.speaker, one.text, one.at)
        best, link = model.score(room.alone(line)), None
        for other in room.options(line):
            score = model.score(room.between(line, other))
            if score > best:
                best, link = score, other.index
        found.append(link)
        room.add(line)
    return found


def is_notice(one: Said) -> bool:
    """Whether a chat server said it: it answers nothing, and nothing answers it."""
    return one.text.startswith(_NOTICE)
