"""Guards at their edges: bursts, proposals, members, and what a channel of many costs."""

from datetime import timedelta
from uuid import UUID

import psycopg
import pytest

from tidings.base import clock
from tidings.base.errors import VersionStale
from tidings.db.queries import Query, load_queries
from tidings.replies.rule import Conditions
from tidings.replies.rules import list_rules, reorder_rules

from factories.channels import make_channel

sql = load_queries("tidings.replies")


async def test_the_newest_of_a_burst_that_may_be_answered_is(desk):
    """What is stopped for a reason of its own covers nothing."""
    await desk.rule(name="Hello", cooldown=3600)
    await desk.rule(priority=1, trigger_conditions=Conditions(keywords=["invoice"]))
    await desk.say(("bo", "Hi"))
    await desk.consider()
    async with await psycopg.AsyncConnection.connect(desk.superuser_url) as connection:
        await connection.execute("SET session_replication_role = replica")
        await connection.execute(
            "UPDATE tidings.message_auto_response_log SET created_at = created_at - %s",
            [timedelta(minutes=2)],
        )
    await desk.say(("bo", "An invoice"), ("bo", "My invoice?"), ("bo", "Hello?"))
    await desk.consider()
    guards = [(row["body"], row["guard"]) for row in await desk.log()]
    assert guards == [
        ("Hi", None),
        ("An invoice", "covered"),
        ("My invoice?", None),
        ("Hello?", "cooldown"),
    ]


async def test_a_long_burst_is_one_reply_of_the_minute(desk):
    await desk.rule()
    await desk.say(*[("bo", "Hello")] * 12, ("ana", "Hello"))
    await desk.consider()
    guards = [guard for _, guard in await desk.outcomes()]
    assert guards == ["covered"] * 11 + [None, None]


async def test_proposals_have_a_rate_of_their_own(desk, monkeypatch):
    """An import of what was said today is no thousand questions to an engine."""
    await desk.rule(rule_type="smart_reply", response_template="")
    await desk.say(*[(f"sender{n}", "Can you help?") for n in range(13)])
    await desk.consider()
    assert await desk.outcomes() == [("proposed", None)] * 10 + [("stopped", "rate")] * 3


async def test_proposals_know_what_was_said_before(desk, monkeypatch):
    from tidings.replies import compose

    asked = []
    real = compose._ask

    async def note(gateway, tenant, operation, source, engine):
        asked.append(source)
        return await real(gateway, tenant, operation, source, engine)

    monkeypatch.setattr(compose, "_ask", note)
    await desk.rule(
        rule_type="smart_reply",
        response_template="",
        trigger_conditions=Conditions(keywords=["cost"]),
    )
    await desk.say(("bo", "We need a crate."), ("bo", "What does it cost?"))
    await desk.consider()
    (source,) = asked
    assert [line.text for line in source.before] == ["We need a crate."]
    assert source.message.text == "What does it cost?"


async def test_who_is_one_of_us_by_either_address(desk):
    await desk.rule()
    ((own,),) = await desk.look("SELECT email FROM tidings.users LIMIT 1")
    await desk.say(("U1", "Note to self"), (own, "Another"), ("U2", "Hello"))
    await desk.look(
        "UPDATE tidings.messages SET sender_email = CASE position WHEN 1 THEN upper(%s) "
        "WHEN 2 THEN 'alias@elsewhere.example' END WHERE position < 3",
        [own],
    )
    await desk.consider()
    assert [guard for _, guard in await desk.outcomes()] == ["own", "own", None]


@pytest.mark.parametrize("name", ["messages_to_consider", "message_to_explain"])
async def test_members_are_found_by_their_index(desk, name):
    """Not one by one for each message: a big organization would stand still."""
    plan = Query("plan", "Explains it.", "EXPLAIN " + getattr(sql, name).sql)
    params = {"channel_id": desk.channel_id, "until": 500, "limit": 500, "message_id": UUID(int=1)}
    async with desk.db.tenant_transaction(desk.tenant.as_service()) as transaction:
        rows = await transaction.fetch(plan, params)
    assert "users" not in str(rows)


async def test_rules_for_other_channels_are_not_even_read(desk):
    elsewhere = await make_channel(desk.db, desk.tenant)
    for channels in ([], [elsewhere], [elsewhere, desk.channel_id]):
        await desk.rule(trigger_conditions=Conditions(channels=channels))
    async with desk.db.tenant_transaction(desk.tenant.as_service()) as transaction:
        rows = await transaction.fetch(sql.rules_of_channel, {"channel_id": desk.channel_id})
    assert sorted(len(row["trigger_conditions"].get("channels", [])) for row in rows) == [0, 2]


async def test_an_order_that_names_a_rule_twice_changes_nothing(desk):
    first, second = await desk.rule(priority=2), await desk.rule(priority=1)
    for ids in ([second.id, second.id, first.id], [second.id], [second.id, UUID(int=1)]):
        with pytest.raises(VersionStale):
            await reorder_rules(desk.db, desk.tenant, ids)
    assert await list_rules(desk.db, desk.tenant) == [first, second]


async def test_a_subject_of_several_lines_is_no_reason_to_be_silent(desk, approvals):
    await desk.look("UPDATE tidings.channels SET kind = 'email'")
    await desk.rule()
    await desk.say(("bo@example.com", "Hello"))
    await desk.look(r"UPDATE tidings.messages SET subject = E'My\n\tcrate'")
    await desk.consider()
    assert await desk.outcomes() == [("drafted", None)]
    assert approvals[0].subject == "Re: My crate"


async def test_what_a_machine_of_ours_sent_is_no_answer_of_a_person(desk):
    """As replies are written back to their thread: they cover nothing but what the log says."""
    await desk.rule()
    await desk.say(("bo", "Hello"))
    await desk.say(("us", "We are closed."), direction="out", start=clock.now())
    await desk.look("UPDATE tidings.messages SET automatic = 'own' WHERE direction = 'out'")
    await desk.consider()
    assert await desk.outcomes() == [("drafted", None)]
