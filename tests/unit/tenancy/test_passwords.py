import asyncio
import threading

import pytest

from tidings.base.errors import InputInvalid, RateExceeded
from tidings.tenancy import passwords
from tidings.tenancy.passwords import (
    check_password,
    dummy_hash,
    hash_password,
    verify_password,
)


async def test_a_password_matches_its_hash_alone():
    hashed = await hash_password("correct horse battery")
    assert hashed.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert (await verify_password(hashed, "correct horse battery")).is_right
    assert not (await verify_password(hashed, "correct horse batter")).is_right


async def test_equal_text_in_another_form_is_the_same_password():
    hashed = await hash_password("cafe\u0301 au lait, s'il")
    assert (await verify_password(hashed, "caf\u00e9 au lait, s'il")).is_right


async def test_no_hash_and_no_valid_hash_are_wrong():
    assert not (await verify_password(None, "correct horse battery")).is_right
    assert not (await verify_password("$argon2id$broken", "correct horse battery")).is_right


def test_the_dummy_has_the_shape_of_a_real_hash():
    parts = dummy_hash().split("$")
    assert parts[1:4] == ["argon2id", "v=19", "m=65536,t=3,p=4"]
    assert [len(part) for part in parts[4:]] == [22, 43]


@pytest.mark.parametrize("password", ["", "x" * 11, "x" * 1025, "long enough\x00but no"])
def test_a_bad_password_is_refused(password):
    with pytest.raises(InputInvalid) as caught:
        check_password(password)
    assert caught.value.errors[0].field == "password"


async def test_the_loop_runs_on_while_hashing():
    hashing = asyncio.ensure_future(hash_password("correct horse battery"))
    turns = 0
    while not hashing.done():
        turns += 1
        await asyncio.sleep(0)
    assert turns > 1


async def test_a_flood_is_sent_away_and_leaves_room(monkeypatch):
    gate = threading.Event()
    monkeypatch.setattr(passwords, "_verify", lambda *_: gate.wait(20))
    waiting = [
        asyncio.ensure_future(verify_password(None, "correct horse battery"))
        for _ in range(passwords.MOST_WAITING)
    ]
    await asyncio.sleep(0)
    with pytest.raises(RateExceeded) as refused:
        await verify_password(None, "correct horse battery")
    assert refused.value.retry_after is not None
    gate.set()
    await asyncio.gather(*waiting)
    assert not (await verify_password(None, "correct horse battery")).is_right
