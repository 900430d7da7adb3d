"""Mail in: each letter once, wherever a check ends; what goes wrong outside is told and put off."""

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import uuid4

import pytest
import pytest_asyncio

from tidings.base.cursor import Page
from tidings.base.errors import (
    InputInvalid,
    RoleForbidden,
    RowMissing,
    SourceRefused,
    SourceUnavailable,
    SourceUnconfigured,
    StateConflict,
)
from tidings.connectors import check_mailbox, imap
from tidings.connectors.check_mailbox import Checked, Checker, look_for_mail
from tidings.connectors.imap import open_folder
from tidings.connectors.mailboxes import (
    KIND,
    MailboxSettings,
    delete_mailbox,
    find_mailbox,
    get_mailbox,
    secret_name,
    set_mailbox,
    start_check,
)
from tidings.db.queries import Query
from tidings.messages.channels import ChannelChange, delete_channel, update_channel
from tidings.messages.read import list_messages, list_threads
from tidings.queue.context import JobContext
from tidings.queue.jobs import list_jobs
from tidings.tenancy.secret_keys import load_secret_keys
from tidings.tenancy.secrets import delete_secret, list_secrets, open_secret

from factories.channels import make_channel
from factories.imap import NOON, FakeImap, letter
from factories.organizations import add_member

ALL = Page(200, None)
AGE = Query(
    "age",
    "Makes every mailbox due.",
    "UPDATE tidings.mailboxes SET next_check_at = tidings.now() - interval '1 second'",
)


class Post:
    """An organization with a channel, its mailbox, a server, and a checker."""

    def __init__(self, db, keys, tenant, settings, fake):
        self.db, self.keys, self.tenant, self.fake = db, keys, tenant, fake
        self.nudges = 0
        settings = settings.model_copy(
            update={"gateway_private": True, "smtp_from": "Us <out@house.example>"}
        )
        self.checker = Checker(db, keys, settings, self.nudge)
        self.settings = settings

    def nudge(self):
        self.nudges += 1

    async def bind(self, **changes):
        self.channel_id = await make_channel(self.db, self.tenant, kind="email")
        return await self.change(**({"password": "secret"} | changes))

    async def change(self, **changes):
        given = {"host": "127.0.0.1", "port": self.fake.port, "tls": "never"}
        wanted = MailboxSettings(**(given | {"user": "support@house.example"} | changes))
        return await set_mailbox(
            self.db, self.keys, self.tenant, self.channel_id, wanted, allow_private=True
        )

    async def check(self):
        return await self.checker.check(self.tenant, self.channel_id)

    async def mailbox(self):
        return await get_mailbox(self.db, self.tenant, self.channel_id)

    async def messages(self):
        found = await list_messages(self.db, self.tenant, self.channel_id, ALL, order="oldest")
        return sorted(found.items, key=lambda one: one.position)


@pytest_asyncio.fixture
async def post(db, organization, settings):
    async with FakeImap() as fake:
        made = Post(db, load_secret_keys(settings), organization.tenant, settings, fake)
        await made.bind()
        yield made


async def test_mail_comes_in_once(post):
    post.fake.put(
        letter(1),
        letter(2, In_Reply_To="<m1@example.com>"),
        letter(3, From="Us <OUT@house.example>"),
        letter(4, From="Support@House.example", Auto_Submitted="auto-replied"),
    )
    before = post.db.trips.total
    assert await post.check() == Checked(created=4)
    # What is set, the password, the batch in its transaction (three), and how it went.
    assert post.db.trips.total - before <= 6
    assert await post.check() == Checked()
    first, second, third, fourth = await post.messages()
    assert (first.external_id, first.sender_email) == ("m1@example.com", "ana@example.com")
    assert (first.body, first.direction) == ("Text 1", "in")
    assert first.thread_id == second.thread_id is not None
    assert (third.direction, third.automatic) == ("out", None)
    assert (fourth.direction, fourth.automatic) == ("out", "own")
    assert post.nudges == 1
    mailbox = await post.mailbox()
    assert (mailbox.failures, mailbox.last_error, mailbox.paused_at) == (0, None, None)
    assert mailbox.last_checked_at is not None
    post.fake.put(letter(5, In_Reply_To="<m2@example.com>"))
    assert await post.check() == Checked(created=1)
    (thread,) = (await list_threads(post.db, post.tenant, post.channel_id, ALL)).items
    assert thread.messages_count == 3


async def test_a_new_uidvalidity_reads_all_again_and_doubles_nothing(post):
    post.fake.put(letter(1), letter(2))
    await post.check()
    post.fake.uid_validity = 8
    post.fake.mails = {90: post.fake.mails[2]}
    post.fake.put(letter(3))
    assert await post.check() == Checked(created=1, duplicates=1)
    assert len(await post.messages()) == 3


async def test_a_check_that_is_killed_loses_and_doubles_nothing(post, monkeypatch):
    monkeypatch.setattr(imap, "MOST", 2)
    post.fake.put(*(letter(n) for n in range(1, 6)))
    post.fake.script(("SEARCH", "drop"))
    with pytest.raises(SourceUnavailable):
        await post.check()

    async def killed(*_):
        raise KeyboardInterrupt

    # After the messages were written and before the commit: nothing of the batch stays.
    with monkeypatch.context() as patched:
        patched.setattr(check_mailbox, "ingest_in", _then(check_mailbox.ingest_in, killed))
        with pytest.raises(KeyboardInterrupt):
            await post.check()
    assert await post.messages() == []
    assert (await post.check()).created == 5
    assert [one.external_id for one in await post.messages()] == [
        f"m{n}@example.com" for n in range(1, 6)
    ]


def _then(first, second):
    async def both(*args):
        await first(*args)
        await second()

    return both


async def test_two_checks_at_once_take_each_letter_once(post, monkeypatch):
    monkeypatch.setattr(imap, "MOST", 2)
    post.fake.put(*(letter(n) for n in range(1, 8)))
    done = await asyncio.gather(*(post.check() for _ in range(4)))
    while (last := await post.check()).created:
        done.append(last)
    assert sum(one.created for one in done) == 7
    assert len(await post.messages()) == 7
    assert (await post.mailbox()).last_error is None


async def test_what_is_changed_meanwhile_stands(post):
    post.fake.put(letter(1))

    @asynccontextmanager
    async def opening(server, password, *, allow_private):
        async with open_folder(server, password, allow_private=allow_private) as folder:
            await post.change(folder="Support")
            yield folder

    slow = Checker(post.db, post.keys, post.settings, post.nudge, opening=opening)
    assert await slow.check(post.tenant, post.channel_id) == Checked()
    assert await post.messages() == []
    assert (await post.mailbox()).last_checked_at is None
    assert await post.check() == Checked(created=1)


async def test_refusals_pause_and_other_failures_put_off(post):
    post.fake.script(*[("LOGIN", "NO [AUTHENTICATIONFAILED] no secret here")] * 3)
    for refused in range(1, 4):
        with pytest.raises(SourceRefused):
            await post.check()
        mailbox = await post.mailbox()
        assert mailbox.failures == refused
        assert (mailbox.paused_at is not None) == (refused == 3)
        assert mailbox.last_error == "127.0.0.1: [AUTHENTICATIONFAILED] no … here"
    waits = mailbox.next_check_at - mailbox.last_checked_at
    assert timedelta(minutes=3) < waits < timedelta(minutes=5)
    assert await due(post) == 0
    async with post.db.tenant_transaction(post.tenant) as transaction:
        started = await start_check(transaction, post.channel_id)
        again = await start_check(transaction, post.channel_id)
    assert started.run_id == again.run_id
    assert (await post.mailbox()).paused_at is None
    await post.check()
    mailbox = await post.mailbox()
    assert (mailbox.failures, mailbox.last_error) == (0, None)
    post.fake.script(("EXAMINE", "NO no such folder"))
    with pytest.raises(SourceUnavailable):
        await post.check()
    assert "no such folder" in (await post.mailbox()).last_error


async def due(post):
    async with post.db.tenant_batch(post.tenant.as_service()) as batch:
        batch.queue(AGE)
    return await look_for_mail(post.db)


async def test_the_schedule_takes_what_is_due_once(post, organization):
    assert await due(post) == 1
    assert await look_for_mail(post.db) == 0
    assert await due(post) == 1  # whose job lives already: no second one is made
    (job,) = [job for job in await list_jobs(post.db, post.tenant, limit=9) if job.kind == KIND]
    assert job.args == {"channel_id": str(post.channel_id)}
    await update_channel(post.db, post.tenant, post.channel_id, ChannelChange(archived=True))
    assert await due(post) == 0
    assert await post.check() == Checked()
    assert post.fake.commands == []


async def test_a_job_notes_what_goes_wrong_and_a_run_fails_with_it(post):
    args = {"channel_id": str(post.channel_id)}

    class Context:
        tenant, run_id = post.tenant, None

        async def progress(self, *_):
            pass

    context: JobContext = Context()  # type: ignore[assignment]
    post.fake.script(("LOGIN", "NO no"), ("LOGIN", "NO no"))
    assert await post.checker.run(context, args) == Checked()
    context.run_id = uuid4()  # type: ignore[misc]
    with pytest.raises(SourceRefused):
        await post.checker.run(context, args)
    post.fake.put(letter(1))
    assert await post.checker.run(context, args) == Checked(created=1)


async def test_what_cannot_be_read_is_told_and_passed_over(post, monkeypatch):
    post.fake.put(letter(1), letter(2, Message_ID="", Date="never"), letter(3))
    real = check_mailbox.mail_entry

    def strict(place, raw, defaults, received):
        return real(place, raw, defaults, None if b"never" in raw else received)

    monkeypatch.setattr(check_mailbox, "mail_entry", strict)
    assert await post.check() == Checked(created=2, unreadable=1)
    mailbox = await post.mailbox()
    assert (mailbox.last_error, mailbox.failures) == ("The mail with UID 2 has no date.", 0)


async def test_a_long_folder_takes_more_than_one_job(post, monkeypatch):
    monkeypatch.setattr(imap, "MOST", 2)
    monkeypatch.setattr(check_mailbox, "MOST_BATCHES", 2)
    post.fake.put(*(letter(n) for n in range(1, 6)))
    assert await post.check() == Checked(created=4)
    mailbox = await post.mailbox()
    assert mailbox.next_check_at == mailbox.last_checked_at
    assert await post.check() == Checked(created=1)


async def test_only_what_came_since(post):
    post.fake.put(letter(1), at=NOON - timedelta(days=1))
    post.fake.put(letter(2))
    await post.change(since=NOON)
    assert await post.check() == Checked(created=1)
    await post.change(since=None)  # and now all of it after all
    assert await post.check() == Checked(created=1, duplicates=1)


async def test_the_password_is_sealed_and_goes_with_the_mailbox(post, superuser_url, organization):
    name = secret_name(post.channel_id)
    service = post.tenant.as_service()
    assert await open_secret(post.db, post.keys, service, name) == "secret"
    for other in ({"host": "localhost"}, {"user": "x"}, {"port": 1}, {"tls": "implicit"}):
        with pytest.raises(InputInvalid, match="password is needed"):
            await post.change(**other)
    assert (await post.change(folder="Archiv", own_addresses=["A@b.example"])).own_addresses == [
        "a@b.example"
    ]
    await delete_secret(post.db, post.tenant, name)
    with pytest.raises(SourceUnconfigured):
        await post.check()
    await post.change(password="secret")
    await delete_mailbox(post.db, post.tenant, post.channel_id)
    assert await open_secret(post.db, post.keys, service, name) is None
    for gone in (delete_mailbox, get_mailbox):
        with pytest.raises(RowMissing):
            await gone(post.db, post.tenant, post.channel_id)
    assert await find_mailbox(post.db, post.tenant, post.channel_id) is None
    assert await post.check() == Checked()
    await post.change(password="secret")
    await delete_channel(post.db, post.tenant, post.channel_id)
    assert await list_secrets(post.db, post.tenant) == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"host": "10.0.0.1"}, "host"),
        ({"host": "a b"}, "host"),
        ({"user": "a\r\nA1 DELETE x"}, "user"),
        ({"folder": "INBOX\n"}, "folder"),
        ({"folder": " "}, "folder"),
        ({"password": "x\ny"}, "password"),
        ({"password": ""}, "password"),
        ({"tls": "never"}, "tls"),
        ({"tls": "starttls", "port": 993}, "port"),
        ({"own_addresses": ["nobody"]}, "own_addresses"),
        ({"since": NOON.replace(tzinfo=None)}, "since"),
    ],
)
async def test_settings_that_cannot_be(db, organization, settings, changes, field):
    given = {"host": "imap.example", "user": "u", "password": "p"} | changes
    with pytest.raises(InputInvalid) as raised:
        await set_mailbox(
            db,
            load_secret_keys(settings),
            organization.tenant,
            uuid4(),
            MailboxSettings(**given),
            allow_private=False,
        )
    assert [problem.field for problem in raised.value.errors] == [field]


async def test_admins_alone_set_mailboxes(post, organization, superuser_url):
    member = await add_member(superuser_url, organization, "member")
    with pytest.raises(RowMissing):
        await get_mailbox(post.db, member, post.channel_id)
    for work in (
        set_mailbox(
            post.db,
            post.keys,
            member,
            post.channel_id,
            MailboxSettings(host="x.example", user="u"),
            allow_private=False,
        ),
        delete_mailbox(post.db, member, post.channel_id),
    ):
        with pytest.raises(RoleForbidden):
            await work
    async with post.db.tenant_transaction(member) as transaction:
        with pytest.raises(RoleForbidden):
            await start_check(transaction, post.channel_id)
    async with post.db.tenant_transaction(post.tenant) as transaction:
        with pytest.raises(RowMissing):
            await start_check(transaction, uuid4())
    chat = await make_channel(post.db, post.tenant, kind="chat")
    wanted = MailboxSettings(host="imap.example", user="u", password="p")
    for channel_id, error in ((chat, StateConflict), (uuid4(), RowMissing)):
        with pytest.raises(error):
            await set_mailbox(
                post.db, post.keys, post.tenant, channel_id, wanted, allow_private=False
            )
