"""Identifiers: UUID version 7 (RFC 9562 section 5.7), ordered by the millisecond they were made."""

import os
import threading
import time
from uuid import UUID

_lock = threading.Lock()
_last_ms = 0
_counter = 0

_RANDOM = (1 << 62) - 1
_VERSION = (0x7 << 76) | (0b10 << 62)


def uuid7() -> UUID:
    """A new UUIDv7, strictly greater than every one this process made before.

    48 bits of Unix milliseconds, a 12-bit counter seeded at random each millisecond
    (RFC 9562 section 6.2, method 1), 62 random bits.
    """
    return uuid7s(1)[0]


def uuid7s(count: int) -> list[UUID]:
    """As many of them, in order: cheaper than one by one."""
    global _last_ms, _counter
    random = os.urandom(10 * count)
    made = []
    with _lock:
        now = time.time_ns() // 1_000_000
        for begin in range(0, 10 * count, 10):
            drawn = int.from_bytes(random[begin : begin + 10])
            if now > _last_ms:
                # The top bit stays free so that a busy millisecond has room to count up.
                _last_ms, _counter = now, (drawn >> 62) & 0x7FF
            else:
                _counter += 1
                if _counter > 0xFFF:
                    _last_ms, _counter = _last_ms + 1, 0
            made.append(
                UUID(int=(_last_ms << 80) | (_counter << 64) | (drawn & _RANDOM) | _VERSION)
            )
    return made
