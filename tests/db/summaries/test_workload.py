"""What the cache saves on a working day: messages in bursts, and those who read about them."""

import random
from collections import Counter
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
import psycopg

from db.summaries.test_cache import EDITION, join, keep
from tidings.base.tenant import Tenant
from tidings.db.queries import load_queries
from tidings.db.transaction import Database
from tidings.summaries.ask import Question
from tidings.summaries.draft import Reading
from tidings.summaries.messages import gather
from tidings.summaries.start import look_up
from tidings.summaries.windows import windows

from factories.channels import NOON, add_messages, make_channel
from factories.organizations import Organization, add_member

sql = load_queries("tidings.summaries")
MORNING = NOON - timedelta(hours=4)
STEP = timedelta(minutes=5)
READING = msgspec.json.encode(Reading()).decode()


class Day:
    """The day as the services serve it: look up, read what is new, keep. Counts hits and misses."""

    def __init__(self, db: Database, url: str) -> None:
        self._db = db
        self._url = url
        self.looks: Counter[str] = Counter()

    def pass_time(self) -> None:
        with psycopg.connect(self._url) as connection:
            connection.execute(
                "UPDATE tidings.summary_cache SET expires_at = expires_at - %s", [STEP]
            )

    async def ask(self, tenant: Tenant, question: Question) -> None:
        plan = await look_up(self._db, tenant, question, EDITION)
        self.looks["hit" if plan.summary else "miss"] += 1
        if plan.summary is not None:
            return
        service = tenant.as_service()
        gathered = await gather(self._db, service, question, plan.spans)
        whole = {window.key("local"): window for window in windows(gathered.messages)}
        async with self._db.tenant_transaction(service) as transaction:
            known = await transaction.fetch(sql.cached_windows, {"keys": list(whole)})
            fresh = set(whole) - {row["key"] for row in known}
            for key in fresh:
                window = {"key": key, "value": READING, "channel_id": whole[key].channel_id}
                transaction.queue(sql.cache_window, window | {"ttl": "30 days"})
        self.looks["hit"] += len(known)
        self.looks["miss"] += len(fresh)
        await keep(self._db, tenant, question, plan)


def day_of(at: datetime) -> Question:
    begins = at.replace(hour=0, minute=0)
    return Question(
        type="daily_digest",
        from_at=begins,
        until_at=begins + timedelta(days=1),
        local_date=begins.date(),
        timezone="UTC",
    )


async def test_a_working_day_is_mostly_answered_from_the_cache(
    db: Database, organization: Organization, superuser_url: str
) -> None:
    """Five people, three channels with a history; each burst is read about by most of them, who
    also catch up now and then, and look at yesterday's digest in the morning."""
    chance, day = random.Random(20), Day(db, superuser_url)
    owner = organization.tenant
    people = [
        owner,
        *[await add_member(superuser_url, organization, "member") for _ in range(4)],
    ]
    channels: list[UUID] = []
    for _ in range(3):
        channels.append(await make_channel(db, owner))
        for person in people[1:]:
            await join(db, owner, channels[-1], person)
        said = [("Ana", f"Message {n} of the week before.") for n in range(700)]
        start = MORNING - timedelta(hours=20)
        await add_messages(db, owner, channels[-1], said, start=start, step=timedelta(seconds=30))
    now = MORNING
    for person in people:
        await day.ask(person, day_of(now - timedelta(days=1)))
    for _ in range(24):
        now += STEP
        day.pass_time()
        if chance.random() < 0.4:
            channel_id = chance.choice(channels)
            burst = [("Ben", f"Something new at {now} {n}") for n in range(chance.randint(1, 6))]
            await add_messages(db, owner, channel_id, burst, start=now, step=timedelta(seconds=5))
            question = Question(type="channel", channel_id=channel_id)
            for person in chance.sample(people, 4):
                await day.ask(person, question)
        if chance.random() < 0.3:
            person = chance.choice(people)
            for _ in range(2):  # and again, when the page is opened once more
                await day.ask(person, Question(type="catch_up", from_at=MORNING))
        if chance.random() < 0.2:
            await day.ask(chance.choice(people), day_of(now - timedelta(days=1)))
    rate = day.looks["hit"] / day.looks.total()
    assert day.looks.total() > 100
    assert rate > 0.7, day.looks
