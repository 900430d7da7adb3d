"""Cooldown, bursts and rate over days, against an oracle that keeps a list and tries it all."""

from collections.abc import Iterator
from random import Random

import psycopg
import pytest

from db.replies.conftest import Desk
from tidings.replies.rule import Conditions

COOLDOWNS = {"bill": 300, "ship": 3620, "": 60}
"""By the word that a rule waits for, as they are tried; none is within 20 s of a sum of pauses."""
PAUSES = [0, 40, 80, 240, 280, 320, 3600, 3640, 90_000]
SENDERS = ["ana", "bo", "kim", *(f"crowd{n}" for n in range(12))]


class Oracle:
    """What was answered, ever: (at, sender, word of the rule)."""

    def __init__(self) -> None:
        self.now = 0
        self.replies: list[tuple[int, str, str]] = []

    def judge(self, burst: list[tuple[str, str]]) -> Iterator[str | None]:
        words = [next(word for word in COOLDOWNS if word in body) for _, body in burst]
        guards = [self._alone(sender, word) for (sender, _), word in zip(burst, words, strict=True)]
        for n, (sender, _) in enumerate(burst):
            newer = [m for m in range(n + 1, len(burst)) if burst[m][0] == sender]
            if guards[n] is None and any(guards[m] is None for m in newer):
                guards[n] = "covered"
        before = sum(self.now - at < 60 for at, _, _ in self.replies)
        for (sender, _), word, guard in zip(burst, words, guards, strict=True):
            if guard is None and before >= 10:
                guard = "rate"
            elif guard is None:
                before += 1
                self.replies.append((self.now, sender, word))
            yield guard

    def _alone(self, sender: str, word: str) -> str | None:
        for at, to, _ in self.replies:
            if to == sender and self.now - at < 60:
                return "covered"
        for at, to, by in self.replies:
            if to == sender and by == word and self.now - at < COOLDOWNS[word]:
                return "cooldown"
        return None


async def pass_time(desk: Desk, seconds: int) -> None:
    """What was logged becomes so much older."""
    async with await psycopg.AsyncConnection.connect(desk.superuser_url) as connection:
        await connection.execute("SET session_replication_role = replica")
        await connection.execute(
            "UPDATE tidings.message_auto_response_log "
            "SET created_at = created_at - make_interval(secs => %s)",
            [seconds],
        )


@pytest.mark.parametrize("seed", [1, 2])
async def test_guards_over_time_are_what_the_oracle_says(desk, seed):
    drawn = Random(seed)
    for place, (word, cooldown) in enumerate(COOLDOWNS.items()):
        keywords = [word] if word else []
        await desk.rule(
            priority=-place,
            cooldown=cooldown,
            trigger_conditions=Conditions(keywords=keywords, keyword_mode="anywhere"),
        )
    oracle, expected = Oracle(), []
    for _ in range(16):
        pause = drawn.choice(PAUSES)
        oracle.now += pause
        if pause:
            await pass_time(desk, pause)
        crowd = SENDERS if drawn.random() < 0.2 else SENDERS[:3]
        burst = [
            (drawn.choice(crowd), drawn.choice(["a bill", "to ship", "hello"]))
            for _ in range(len(crowd) if len(crowd) > 3 else drawn.randint(1, 4))
        ]
        expected += oracle.judge(burst)
        await desk.say(*burst)
        await desk.consider()
    assert [guard for _, guard in await desk.outcomes()] == expected
    assert {None, "covered", "cooldown"} <= set(expected)
