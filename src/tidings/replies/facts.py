"""Messages as rows of the database, read for what conditions ask: pure, and CPU bound."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from tidings.ai.engines.local.utterances import Said, read_utterances
from tidings.db.transaction import Row
from tidings.messages.quotes import own_words
from tidings.replies.decide import Facts
from tidings.replies.hours import Hours, Span
from tidings.replies.language import language_of
from tidings.replies.rule import Rule

_FACTS = frozenset(Facts.__struct_fields__)


def hours_of(row: Row) -> Hours:
    """The hours of a channel's row: its `timezone`, `business_hours` and `holidays`."""
    spans = [
        Span(span["start"], span["end"], tuple(span.get("days") or ()))
        for span in row["business_hours"]
    ]
    return Hours(row["timezone"], spans, row["holidays"])


def read_facts(
    rows: Sequence[Row], rules: Iterable[Rule], hours: Hours | None = None
) -> list[Facts]:
    """The messages; sentiment and language only where a rule asks for them.

    `hours` is of the channel that all are in; None when each row has its channel's own.
    """
    asked = [rule.trigger_conditions for rule in rules]
    own = [own_words(row["body"]) for row in rows]
    sentiments: Sequence[str | None] = [None] * len(rows)
    if any(conditions.sentiment for conditions in asked):
        said = [
            Said(row["sender_name"] or row["sender_id"], words)
            for row, words in zip(rows, own, strict=True)
        ]
        sentiments = [read.sentiment for read in read_utterances(said)]
    languages: Sequence[str | None] = [None] * len(rows)
    if any(conditions.language for conditions in asked):
        languages = [language_of(words) for words in own]
    return [
        msgspec.structs.replace(
            Facts(**_known(row), own_words=words),
            hours=hours or hours_of(row),
            sentiment=sentiment,
            language=language,
        )
        for row, words, sentiment, language in zip(rows, own, sentiments, languages, strict=True)
    ]


def _known(row: Row) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name in _FACTS}
