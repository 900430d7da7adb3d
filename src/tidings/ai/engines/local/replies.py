"""STANDIN until the merge: which message each one answers. The engine's own replaces it."""

from collections.abc import Sequence

from tidings.ai.engines.local.utterances import Said


def reply_links(said: Sequence[Said]) -> list[int | None]:
    """The index of the message each one answers: the last one of somebody else."""
    links: list[int | None] = []
    for n, one in enumerate(said):
        others = (m for m in range(n - 1, max(-1, n - 4), -1) if said[m].speaker != one.speaker)
        links.append(next(others, None))
    return links
