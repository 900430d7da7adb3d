"""Starting from a conversation: its messages as context, its open question as the topic."""

import re
from uuid import UUID

import msgspec

from tidings.base.errors import InputInvalid, RowMissing
from tidings.brainstorm.board import ContextMessage, sql
from tidings.db.transaction import Transaction
from tidings.messages.quotes import own_words

MOST_MESSAGES = 200
_QUESTION = re.compile(r"[^.!?\n]*[^.!?\s][^.!?\n]*\?")
_LONGEST = 300


class Conversation(msgspec.Struct, frozen=True, kw_only=True):
    """Messages by their ids, or the latest of a thread; of channels one is a member of."""

    message_ids: list[UUID] = []
    thread_id: UUID | None = None


async def read_start(
    transaction: Transaction, conversation: Conversation
) -> tuple[list[UUID], str | None]:
    """The ids of the messages, oldest first, and the last question asked in them, if any.

    Raises `RowMissing` when one of them is not there or not the tenant's to read.
    """
    wanted = set(conversation.message_ids)
    if len(wanted) > MOST_MESSAGES:
        raise InputInvalid.of("conversation.message_ids", f"are more than {MOST_MESSAGES}")
    given = {
        "message_ids": list(wanted),
        "thread_id": conversation.thread_id,
        "limit": MOST_MESSAGES,
    }
    found = await transaction.fetch(sql.messages_to_start_from, given, row=ContextMessage)
    if not found or not wanted <= {message.id for message in found}:
        raise RowMissing("There are no such messages here that you may read.")
    found.reverse()
    return [message.id for message in found], open_question([message.body for message in found])


def open_question(bodies: list[str]) -> str | None:
    """The last sentence that ends with a question mark, at most 300 characters; None: no one asks.

    Which questions are answered is not known here: the last one most often is not.
    """
    for body in reversed(bodies):
        asked = [found.group().strip() for found in _QUESTION.finditer(own_words(body))]
        if asked:
            return asked[-1][:_LONGEST]
    return None
