"""Passwords: Argon2id by RFC 9106's second recommendation (64 MiB, 3 passes, 4 lanes).

Hashing takes tens of milliseconds and 64 MiB, so it runs in threads, a few at a time, and only so
many wait: a flood of sign-ins is refused, not queued. When the parameters here change, each
person's hash is renewed at their next sign-in.
"""

import asyncio
import base64
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

import msgspec
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from tidings.base.errors import InputInvalid, RateExceeded
from tidings.base.text import check_text

SHORTEST = 12
LONGEST = 1024
"""In characters; NIST SP 800-63B section 3.1.1.2: long ones allowed, no rules of composition."""

MOST_WAITING = 64
"""Passwords that may wait to be hashed in one process: seconds of work."""

T = TypeVar("T")

_waiting = 0
_hasher = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
_threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="argon2")


class PasswordCheck(msgspec.Struct, frozen=True):
    """Whether a password was right, and its hash under today's parameters if that differs."""

    is_right: bool
    better_hash: str | None = None


def check_password(password: str) -> str:
    """A new password, normalised. Raises `InputInvalid` when it is too short or too long."""
    check_text("password", password, longest=LONGEST)
    if len(password) < SHORTEST:
        problem = f"is shorter than {SHORTEST} characters"
        raise InputInvalid.of("password", problem)
    return unicodedata.normalize("NFKC", password)


async def hash_password(password: str) -> str:
    """The encoded Argon2id hash.

    Raises `InputInvalid` as `check_password` does, `RateExceeded` when too many wait.
    """
    return await _in_thread(_hasher.hash, check_password(password))


async def verify_password(password_hash: str | None, password: str) -> PasswordCheck:
    """Compare, taking as long for no hash at all as for a wrong password.

    Raises `InputInvalid` for a password that nobody can have, whoever's it would be, `RateExceeded`
    when too many wait.
    """
    check_text("password", password, longest=LONGEST)
    plain = unicodedata.normalize("NFKC", password)
    is_right = await _in_thread(_verify, password_hash or dummy_hash(), plain)
    if not is_right or password_hash is None:
        return PasswordCheck(False)
    better = None
    if _hasher.check_needs_rehash(password_hash):
        with suppress(RateExceeded):  # the next time, then
            better = await _in_thread(_hasher.hash, plain)
    return PasswordCheck(True, better)


def dummy_hash() -> str:
    """A hash that costs as much to check as a real one and that no password has."""
    salt = base64.b64encode(bytes(_hasher.salt_len)).decode().rstrip("=")
    digest = base64.b64encode(bytes(_hasher.hash_len)).decode().rstrip("=")
    costs = f"m={_hasher.memory_cost},t={_hasher.time_cost},p={_hasher.parallelism}"
    return f"$argon2id$v=19${costs}${salt}${digest}"


async def _in_thread(call: Callable[..., T], *texts: str) -> T:
    global _waiting
    if _waiting >= MOST_WAITING:
        raise RateExceeded("Too many sign in at this moment; try again shortly.", retry_after=5)
    _waiting += 1
    try:
        return await asyncio.get_running_loop().run_in_executor(_threads, call, *texts)
    finally:
        _waiting -= 1


def _verify(password_hash: str, plain: str) -> bool:
    try:
        return _hasher.verify(password_hash, plain)
    except (VerificationError, InvalidHashError):
        return False
