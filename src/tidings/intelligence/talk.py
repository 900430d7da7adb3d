"""What was said so far in a page and its context: found by id, and by thread in order of time."""

import math
from bisect import bisect_right, insort
from collections import defaultdict
from datetime import datetime, timedelta
from uuid import UUID

from tidings.intelligence.state import Message, Question, Sample

LONGEST_ANSWER = timedelta(days=7)
"""What comes later is a new beginning, no answer."""
PRIVATE = frozenset({"email", "sms", "web"})
"""Channels in which outsiders do not see each other: one is not the other's answer."""

_Place = tuple[datetime, int, Message]


class Talk:
    """The messages so far. Looking one up costs the same however many there are."""

    def __init__(self, kind: str) -> None:
        """Nothing was said yet; `kind` is the channel's."""
        self.kind = kind
        self._by_id: dict[str, Message] = {}
        self._threads: defaultdict[UUID | None, list[_Place]] = defaultdict(list)

    def add(self, message: Message) -> None:
        """Remember a message."""
        self._by_id[message.external_id] = message
        insort(self._threads[message.thread_id], (message.sent_at, message.position, message))

    def answered_by(self, message: Message) -> Sample | None:
        """How long a message took to answer the one before it, if it answers one.

        From the beginning of the other's turn: who writes three messages waits since the first.
        """
        asked = self._by_id.get(message.reply_to) if message.reply_to else None
        asked = asked or self._turn_before(message)
        if asked is None or not _is_other_side(asked, message, self.kind):
            return None
        took = message.sent_at - asked.sent_at
        if not timedelta(0) <= took <= LONGEST_ANSWER:
            return None
        return (message.sent_at.timestamp(), took.total_seconds(), message.direction)

    def _turn_before(self, message: Message) -> Message | None:
        """The first of the last messages in its thread, which are of one other sender."""
        thread = self._threads.get(message.thread_id, [])
        at = bisect_right(thread, (message.sent_at, math.inf)) - 1
        if at < 0 or thread[at][2].sender_id == message.sender_id:
            return None
        sender = thread[at][2].sender_id
        while at > 0 and thread[at - 1][2].sender_id == sender:
            at -= 1
        return thread[at][2]


def _is_other_side(asked: Message, message: Message, kind: str) -> bool:
    if asked.sender_id == message.sender_id:
        return False
    is_together = message.thread_id is not None or message.reply_to == asked.external_id
    return is_together or kind not in PRIVATE or asked.direction != message.direction


def answers(message: Message, question: Question, kind: str, *, asks: bool = False) -> bool:
    """Whether somebody else's message, in the same conversation and after it, answers it.

    Where no thread keeps them together, a mere question (`asks`) from the same side is none.
    """
    if message.sender_id == question.sender_id or message.sent_at < question.asked_at:
        return False
    if message.reply_to == question.external_id:
        return True
    if message.thread_id != question.thread_id:
        return False
    if message.thread_id is not None or message.direction != question.direction:
        return True
    return kind not in PRIVATE and not asks
