"""Which message each one answers."""

from collections.abc import Sequence

from tidings.ai.engines.local.utterances import Said


def reply_links(said: Sequence[Said]) -> list[int | None]:
    """For each message the index of the one it answers, or None where it begins something."""
    last: dict[str, int] = {}
    found: list[int | None] = []
    for i, one in enumerate(said):
        head = one.text.lstrip("@ ").split(None, 1)[:1]
        name = head[0].rstrip(",:;").casefold() if head else ""
        found.append(last.get(name, i - 1 if i else None))
        last[one.speaker.casefold()] = i
    return found
