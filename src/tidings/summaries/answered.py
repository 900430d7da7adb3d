"""Which questions were answered: in their window, and by what came after it. Pure."""

from collections.abc import Iterator, Sequence
from itertools import islice, pairwise
from uuid import UUID

import msgspec

from tidings.ai.engines.local.replies import reply_links
from tidings.ai.engines.local.utterances import Said
from tidings.summaries.draft import Heard, Reading
from tidings.summaries.windows import Part, Window

_FEW = 6
"""People in a conversation in which who writes next is taken to answer."""
_SOON = 5
"""Messages within which somebody who was asked by name answers."""
_AROUND = 60
"""Messages on either side of the end of a window that are read together."""


def answered(parts: Sequence[Part]) -> set[int]:
    """The messages that somebody else answers, as far as these go.

    An answer says so (a reply header), is told by the words (`reply_links`), or, among few people
    of one thread, is what the next of them writes unless it asks in turn.
    """
    said = [Said(part.sender, part.text, part.at) for part in parts]
    found = {
        link
        for later, link in enumerate(reply_links(said))
        if link is not None and parts[later].sender != parts[link].sender
    }
    return found | _replied(parts) | set(_followed(parts))


def without_answered(windows: Sequence[Window], heard: Sequence[Heard]) -> list[Heard]:
    """The readings without the questions that a later window of the same channel answers."""
    closed: set[str] = set()
    for here, (window, following) in enumerate(pairwise(windows)):
        asked = {f.message_id for f in heard[here].reading.findings if f.kind == "question"}
        if not asked or following.channel_id != window.channel_id:
            continue
        around = [*window.parts[-_AROUND:], *following.parts[:_AROUND]]
        closed |= asked & {str(around[place].message_id) for place in answered(around)}
    every = [part for window in windows for part in window.parts]
    closed |= {str(every[place].message_id) for place in _replied(every)}
    return [_opened(one, closed) for one in heard]


def _opened(one: Heard, closed: set[str]) -> Heard:
    kept = tuple(
        finding
        for finding in one.reading.findings
        if finding.kind != "question" or finding.message_id not in closed
    )
    return msgspec.structs.replace(one, reading=Reading(kept))


def _replied(parts: Sequence[Part]) -> set[int]:
    """What a later message of somebody else names as what it replies to."""
    places = {part.external_id: place for place, part in enumerate(parts) if part.external_id}
    return {
        places[part.reply_to]
        for part in parts
        if part.reply_to in places
        and parts[places[part.reply_to]].sender != part.sender
        and not part.text.rstrip().endswith("?")
    }


def _followed(parts: Sequence[Part]) -> Iterator[int]:
    """What the next message of somebody else in the thread answers, where few people write."""
    threads: dict[UUID | None, list[Part]] = {}
    places: dict[UUID | None, list[int]] = {}
    for place, part in enumerate(parts):
        threads.setdefault(part.thread_id, []).append(part)
        places.setdefault(part.thread_id, []).append(place)
    for thread, said in threads.items():
        names = _first_names(said)
        if len({part.sender for part in said}) > _FEW:
            continue
        for here, question in enumerate(said):
            asked = names & {word.strip(",.:;!?@").lower() for word in question.text.split()}
            later = (part for part in said[here + 1 :] if part.sender != question.sender)
            if any(_answers(part, asked) for part in islice(later, _SOON if asked else 1)):
                yield places[thread][here]


def _first_names(parts: Sequence[Part]) -> set[str]:
    return {part.sender.split()[0].lower() for part in parts if part.sender.split()}


def _answers(part: Part, asked: set[str]) -> bool:
    """Whether it may be an answer: no question, and by one of those who were asked by name."""
    if part.text.rstrip().endswith("?"):
        return False
    return not asked or bool(asked & {name.lower() for name in part.sender.split()[:1]})
