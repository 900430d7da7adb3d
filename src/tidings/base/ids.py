"""Identifiers: UUID version 7 (RFC 9562 section 5.7), ordered by the millisecond they were made."""

import os
import threading
import time
from uuid import UUID

_lock = threading.Lock()
_last_ms = 0
_counter = 0


def uuid7() -> UUID:
    """A new UUIDv7, strictly greater than every one this process made before.

    48 bits of Unix milliseconds, a 12-bit counter seeded at random each millisecond
    (RFC 9562 section 6.2, method 1), 62 random bits.
    """
    global _last_ms, _counter
    random = int.from_bytes(os.urandom(10))
    with _lock:
        ms = time.time_ns() // 1_000_000
        if ms > _last_ms:
            # The top bit stays free so that a busy millisecond has room to count up.
            _last_ms, _counter = ms, (random >> 62) & 0x7FF
        else:
            _counter += 1
            if _counter > 0xFFF:
                _last_ms, _counter = _last_ms + 1, 0
        value = (_last_ms << 80) | (0x7 << 76) | (_counter << 64)
    return UUID(int=value | (0b10 << 62) | (random & ((1 << 62) - 1)))
