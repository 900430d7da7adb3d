"""Results of jobs as PostgreSQL can keep them."""

import msgspec

from tidings.base.text import find_bad_text

LARGEST = 65_536
"""Bytes of JSON: a result names or links what was made, it travels in every event of the run."""


def encode_result(result: object) -> str | None:
    """A result as JSON, or None for none.

    Raises ValueError or TypeError for what JSON, PostgreSQL or an event cannot keep: checked here,
    because in a batch it would spoil the completion of other jobs.
    """
    if result is None:
        return None
    encoded = msgspec.json.encode(result)
    if len(encoded) > LARGEST:
        raise ValueError(f"a result has at most {LARGEST} bytes; store it and return its link")
    bad = find_bad_text(msgspec.json.decode(encoded))
    if bad is not None:
        raise ValueError(f"the result's {bad.field} {bad.message}")
    return encoded.decode()
