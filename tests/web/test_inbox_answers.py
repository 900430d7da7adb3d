"""Answers under the newest message of a conversation."""

from typing import Any
from uuid import UUID

import pytest

from tidings.base import clock
from tidings.queue.enqueue import NewJob, enqueue
from tidings.replies.consider import KIND, Args
from tidings.wiring import build_worker
from web.house import Browser, House, Team

from factories.channels import add_messages, make_channel, make_thread

ASKS = ("bo@example.com", "Can you send me the crate?")


async def heard(
    house: House, team: Team, *said: tuple[str, str], thread_id: UUID | None = None
) -> tuple[UUID, list[UUID]]:
    owner = team.people["owner"].tenant
    channel_id = await make_channel(house.system.db, owner)
    if thread_id is not None:
        thread_id = await make_thread(house.system.db, owner, channel_id, subject="Crates")
    ids = await add_messages(
        house.system.db, owner, channel_id, said, thread_id=thread_id, start=clock.now()
    )
    return channel_id, ids


async def drafts(house: House, message_id: UUID) -> list[Any]:
    return await house.sql(
        "SELECT content, recipient, status, is_automatic FROM tidings.approvals "
        "WHERE message_id = %s",
        message_id,
    )


async def test_what_the_rule_proposed_is_drafted_by_one_click(
    house: House, team: Team, client: Any, browser: Browser
) -> None:
    rule = {"name": "Propose", "rule_type": "smart_reply"}
    assert (await client.post("/v1/auto-responses", json=rule)).status_code == 201
    channel_id, ids = await heard(house, team, ("ana", "Hello"), ASKS)
    async with house.system.db.tenant_batch(team.people["owner"].tenant) as batch:
        enqueue(batch, NewJob(kind=KIND, args=Args(channel_id, 2)))
    await build_worker(house.system, house.services.relay).run_until_empty()
    shown = (await browser.get(f"/inbox/{channel_id}")).text
    assert shown.count('class="answer-text"') == 3
    assert shown.index("Can you send me") < shown.index("answer-text") < shown.index(">Hello<")
    text = "Yes, I will take care of it."
    assert text in shown
    form = {"message_id": str(ids[1]), "content": f"{text}\r\nBo"}
    answered = await browser.post(f"/inbox/{channel_id}/answer", form)
    assert answered.headers["location"] == f"/inbox/{channel_id}?view=messages"
    assert await drafts(house, ids[1]) == [(f"{text}\nBo", ASKS[0], "pending", False)]
    after = await browser.get(f"/inbox/{channel_id}")
    assert "The answer is drafted." in after.text
    assert "answer-text" not in after.text
    assert "Write an answer" not in after.text
    await browser.post(f"/inbox/{channel_id}/answer", form)
    assert "answers this message already" in (await browser.get(f"/inbox/{channel_id}")).text
    assert len(await drafts(house, ids[1])) == 1


async def test_answers_when_asked_for(house: House, team: Team, browser: Browser) -> None:
    channel_id, (message_id,) = await heard(house, team, ASKS, thread_id=UUID(int=1))
    ((thread_id,),) = await house.sql(
        "SELECT thread_id FROM tidings.messages WHERE id = %s", message_id
    )
    here = f"/inbox/{channel_id}?thread={thread_id}"
    page = (await browser.get(here)).text
    assert "Propose answers" in page
    assert "Write an answer" in page
    form = {"message_id": str(message_id), "thread": str(thread_id)}
    whole = await browser.post(f"/inbox/{channel_id}/propose", form)
    assert whole.status_code == 200
    assert "<h1>Crates</h1>" in whole.text
    assert whole.text.count('class="answer-text"') == 3
    live = {"hx-request": "true", "x-csrftoken": browser.csrf}
    fragment = await browser.client.post(f"/inbox/{channel_id}/propose", data=form, headers=live)
    assert "<h1>" not in fragment.text
    assert fragment.text.count('class="answer-text"') == 3
    assert await drafts(house, message_id) == []
    empty = await browser.post(f"/inbox/{channel_id}/answer", form | {"content": " "})
    assert empty.headers["location"] == here
    assert "content is empty" in (await browser.get(here)).text


async def test_what_no_answer_is_due_to(
    house: House, team: Team, other: Team, browser: Browser
) -> None:
    channel_id, (message_id,) = await heard(house, team, ASKS)
    elsewhere, (far,) = await heard(house, team, ASKS)
    theirs, (foreign,) = await heard(house, other, ASKS)
    for channel, wanted in ((channel_id, far), (channel_id, foreign), (theirs, foreign)):
        form = {"message_id": str(wanted), "content": "Hello"}
        assert (await browser.post(f"/inbox/{channel}/answer", form)).status_code == 404
        assert await drafts(house, wanted) == []
    for form in ({"message_id": str(foreign)}, {"message_id": str(UUID(int=1))}):
        assert (await browser.post(f"/inbox/{channel_id}/propose", form)).status_code == 404
    for form in ({}, {"message_id": "x"}, {"message_id": str(message_id), "thread": "x"}):
        assert (await browser.post(f"/inbox/{channel_id}/propose", form)).status_code == 400
    await house.sql("UPDATE tidings.messages SET automatic = 'list' WHERE id = %s", message_id)
    assert 'id="answers"' not in (await browser.get(f"/inbox/{channel_id}")).text
    await add_messages(
        house.system.db,
        team.people["owner"].tenant,
        elsewhere,
        [("Ada", "Here it is.")],
        direction="out",
        start=clock.now(),
    )
    assert 'id="answers"' not in (await browser.get(f"/inbox/{elsewhere}")).text


@pytest.mark.parametrize("thread", [False, True])
async def test_a_viewer_only_reads(house: House, team: Team, thread: bool) -> None:
    channel_id, (message_id,) = await heard(
        house, team, ASKS, thread_id=UUID(int=1) if thread else None
    )
    await house.sql(
        "INSERT INTO tidings.channel_members (organization_id, channel_id, user_id) "
        "VALUES (%s, %s, %s)",
        team.organization_id,
        channel_id,
        team.people["viewer"].tenant.user_id,
    )
    viewer = await house.browser(team, "viewer")
    shown = await viewer.get(f"/inbox/{channel_id}?view=messages")
    assert "Can you send me" in shown.text
    assert 'id="answers"' not in shown.text
    form = {"message_id": str(message_id), "content": "Hello"}
    assert (await viewer.post(f"/inbox/{channel_id}/answer", form)).status_code == 403


async def test_an_answer_to_another_domain_is_shown_to_be_one(
    client: Any, browser: Browser
) -> None:
    """The API takes Reply-To with a mail's headers; who approves sees where the answer goes."""
    made = await client.post("/v1/channels", json={"name": "Mail", "kind": "email"})
    channel_id = made.json()["id"]
    item = {
        "external_id": "<1@shop.example>",
        "sender": {"id": "ana@shop.example", "name": "Ana", "email": "ana@shop.example"},
        "direction": "in",
        "body": "May I have the invoice?",
        "sent_at": clock.now().isoformat(),
        "headers": {"reply-to": "ana@sh0p.example"},
    }
    await client.post(f"/v1/channels/{channel_id}/messages", json={"items": [item]})
    said = (await client.get(f"/v1/channels/{channel_id}/messages")).json()["items"]
    form = {"message_id": said[0]["id"], "content": "Here it is."}
    await browser.post(f"/inbox/{channel_id}/answer", form)
    (found,) = (await client.get("/v1/approvals")).json()["items"]
    assert (found["to"], found["answers_elsewhere"]) == ("ana@sh0p.example", "ana@shop.example")
    for path in ("/approvals", f"/approvals/{found['id']}"):
        assert (
            "It answers ana@shop.example, but goes to another domain"
            in (await browser.get(path)).text
        )
