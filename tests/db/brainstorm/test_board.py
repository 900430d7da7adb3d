"""Boards: who sees and changes them, and that no change is lost when many change one at once."""

import asyncio
from datetime import datetime

import pytest
import pytest_asyncio

from tidings.base.cursor import Page
from tidings.base.errors import InputInvalid, RoleForbidden, RowMissing, StateConflict, VersionStale
from tidings.base.ids import uuid7
from tidings.brainstorm.board import (
    board_topic,
    find_people,
    get_board,
    list_brainstorms,
    sql,
)
from tidings.brainstorm.board import list_operations as read_operations
from tidings.brainstorm.changes import (
    IdeaChange,
    NewBrainstorm,
    NewIdea,
    SessionChange,
    add_ideas,
    change_brainstorm,
    change_idea,
    delete_brainstorm,
    delete_cluster,
    delete_idea,
    restore,
    save_cluster,
    share_brainstorm,
    start_brainstorm,
    unshare_brainstorm,
    vote,
)
from tidings.brainstorm.conversation import Conversation
from tidings.brainstorm.effects import Suggestion, add_suggestions
from tidings.db.queries import Query
from tidings.realtime.presence import Presences
from tidings.realtime.rooms import BOARD

from factories.boards import make_board
from factories.channels import add_messages, make_channel, make_thread
from factories.organizations import add_member

TABLES = ("sessions", "collaborators", "clusters", "ideas", "votes", "operations", "results")
COUNTS = Query(
    "counts",
    "Counts what is seen.",
    "SELECT " + ", ".join(f"(SELECT count(*) FROM tidings.brainstorm_{t}) AS {t}" for t in TABLES),
)
RESULT = Query(
    "result",
    "A result.",
    "INSERT INTO tidings.brainstorm_results (organization_id, id, session_id, operation, engine, "
    "answer) VALUES (tidings.current_organization(), gen_random_uuid(), %(id)s, 'gaps', 'local', "
    "'{}')",
)
MAKE_OWNER = Query(
    "make_owner",
    "Takes a board over.",
    "UPDATE tidings.brainstorm_sessions SET owner_id = tidings.acting_user() WHERE id = %(id)s",
)
JOIN = Query(
    "join",
    "Joins a board.",
    "INSERT INTO tidings.brainstorm_collaborators (organization_id, session_id, user_id, role) "
    "VALUES (tidings.current_organization(), %(id)s, tidings.acting_user(), 'editor')",
)
RISE = Query(
    "rise",
    "Makes oneself an editor.",
    "UPDATE tidings.brainstorm_collaborators SET role = 'editor' WHERE session_id = %(id)s "
    "RETURNING role",
)
VOTE_TWICE = Query(
    "vote_for_another",
    "Votes as somebody else.",
    "INSERT INTO tidings.brainstorm_votes (organization_id, session_id, idea_id, user_id) "
    "VALUES (tidings.current_organization(), %(id)s, %(idea_id)s, %(user_id)s)",
)
AS_ENGINE = Query(
    "as_engine",
    "Writes as an engine.",
    "INSERT INTO tidings.brainstorm_ideas (organization_id, session_id, id, text, origin, "
    "author_id) VALUES (tidings.current_organization(), %(id)s, gen_random_uuid(), 'x', 'engine', "
    "tidings.acting_user())",
)
REMEMBER = Query(
    "remember",
    "An answer that is over.",
    "INSERT INTO tidings.brainstorm_ai_cache (organization_id, key, operation, engine, answer, "
    "expires_at) VALUES (tidings.current_organization(), repeat('a', 64), 'gaps', 'local', '{}', "
    "tidings.now() + %(ttl)s::interval)",
)
HERE = Query("here", "Who is anywhere.", "SELECT p.topic FROM tidings.presences p")
CACHED = Query("cached", "Counts.", "SELECT count(*) FROM tidings.brainstorm_ai_cache")


@pytest_asyncio.fixture
async def people(superuser_url, organization):
    """An editor, a viewer, and somebody whom nothing is shared with."""
    return [await add_member(superuser_url, organization, "member") for _ in range(3)]


@pytest_asyncio.fixture
async def board(db, organization, people):
    editor, viewer, _ = people
    shared = ((editor, "editor"), (viewer, "viewer"))
    return await make_board(db, organization.tenant, "Call them", "Write to them", shared=shared)


async def run(db, tenant, work, *args, **more):
    async with db.tenant_transaction(tenant) as transaction:
        return await work(transaction, *args, **more)


async def ask(db, tenant, query, **params):
    async with db.tenant_transaction(tenant) as transaction:
        return await transaction.fetch(query, params)


async def test_who_sees_a_board(db, organization, other_organization, people, board):
    session_id, ideas = board
    editor, viewer, stranger = people
    await run(db, editor, vote, session_id, ideas[0], True)
    await ask(db, organization.tenant.as_service(), RESULT, id=session_id)
    for tenant in (organization.tenant, editor, viewer):
        (seen,) = await ask(db, tenant, COUNTS)
        assert (seen["sessions"], seen["collaborators"], seen["ideas"]) == (1, 2, 2)
        assert (seen["votes"], seen["operations"], seen["results"]) == (1, 5, 1)
        assert await board_topic(db)(tenant, str(session_id))
    admin = organization.acting("admin")
    for tenant in (
        stranger,
        other_organization.tenant,
        msg_admin(stranger),
        other_organization.tenant.as_service(),
    ):
        (seen,) = await ask(db, tenant, COUNTS)
        assert set(seen.values()) == {0}
        assert not await board_topic(db)(tenant, str(session_id))
        for change in (
            get_board(db, tenant, session_id),
            read_operations(db, tenant, session_id, 0, 10),
            run(db, tenant, vote, session_id, ideas[0], True),
            run(db, tenant, delete_brainstorm, session_id),
            run(db, tenant, add_ideas, session_id, NewIdea(text="Mine")),
        ):
            with pytest.raises(RowMissing):
                await change
    assert admin.user_id == organization.tenant.user_id
    assert not await board_topic(db)(organization.tenant, "nothing")


def msg_admin(tenant):
    return type(tenant)(tenant.organization_id, tenant.user_id, "admin")


async def test_what_each_may_do(db, organization, people, board):
    session_id, ideas = board
    editor, viewer, stranger = people
    for change in (
        run(db, viewer, change_idea, session_id, ideas[0], IdeaChange(text="No"), None),
        run(db, viewer, vote, session_id, ideas[0], True),
        run(db, viewer, delete_brainstorm, session_id),
        run(db, editor, delete_brainstorm, session_id),
        run(db, editor, share_brainstorm, session_id, stranger.user_id, "editor"),
        run(db, editor, change_brainstorm, session_id, SessionChange(human_first=2), None),
        ask(db, editor, MAKE_OWNER, id=session_id),
        ask(db, stranger, JOIN, id=session_id),
        ask(db, editor, AS_ENGINE, id=session_id),
        ask(db, editor, VOTE_TWICE, id=session_id, idea_id=ideas[0], user_id=viewer.user_id),
        ask(db, editor, RESULT, id=session_id),
        ask(db, organization.tenant, REMEMBER, ttl="1 day"),
    ):
        with pytest.raises(RoleForbidden):
            await change
    assert await ask(db, viewer, RISE, id=session_id) == []
    with pytest.raises(RowMissing):
        await run(db, editor, unshare_brainstorm, session_id, viewer.user_id)
    with pytest.raises(StateConflict):
        await run(
            db,
            organization.tenant,
            share_brainstorm,
            session_id,
            organization.tenant.user_id,
            "viewer",
        )
    await run(db, viewer, unshare_brainstorm, session_id, viewer.user_id)
    await run(db, organization.tenant, unshare_brainstorm, session_id, editor.user_id)
    with pytest.raises(RowMissing):
        await get_board(db, editor, session_id)
    found = await find_people(db, organization.tenant, session_id)
    assert {one["user_id"] for one in found} == {person.user_id for person in people}


async def test_a_vote_is_one(db, organization, people, board):
    session_id, ideas = board
    editor = people[0]
    for tenant in (editor, editor, organization.tenant):
        voted = await run(db, tenant, vote, session_id, ideas[1], True)
    assert (voted.votes, voted.voted) == (2, True)
    voted = await run(db, editor, vote, session_id, ideas[1], False)
    assert voted.votes == 1
    idea = (await get_board(db, editor, session_id)).ideas[1]
    assert (idea.votes, idea.voted) == (1, False)


async def test_edits_of_different_fields_merge(db, organization, people, board):
    session_id, (first, second) = board
    editor = people[0]
    seen = (await get_board(db, editor, session_id)).session.version
    owner = organization.tenant
    await run(db, owner, change_idea, session_id, first, IdeaChange(text="Call on Monday"), seen)
    await run(db, editor, change_idea, session_id, first, IdeaChange(status="selected"), seen)
    await run(db, editor, change_idea, session_id, second, IdeaChange(text="Write, then"), seen)
    for change in (IdeaChange(text="Call never"), IdeaChange(status="new", priority="low")):
        with pytest.raises(VersionStale):
            await run(db, editor, change_idea, session_id, first, change, seen)
    with pytest.raises(VersionStale):
        await run(db, editor, delete_idea, session_id, first, seen)
    idea, other = (await get_board(db, editor, session_id)).ideas
    assert (idea.text, idea.status, idea.priority) == ("Call on Monday", "selected", "medium")
    assert other.text == "Write, then"
    await run(db, owner, change_brainstorm, session_id, SessionChange(description="For May"), seen)
    await run(db, editor, change_brainstorm, session_id, SessionChange(topic="Pilots"), seen)
    with pytest.raises(VersionStale):
        await run(db, editor, change_brainstorm, session_id, SessionChange(topic="Other"), seen)
    done = await read_operations(db, editor, session_id, seen, 100)
    assert [one.version for one in done.items] == list(range(seen + 1, seen + 6))
    assert done.items[0].changes == {"text": ["Call them", "Call on Monday"]}
    # What changes nothing is no operation.
    await run(db, editor, change_idea, session_id, first, IdeaChange(status="selected"), None)
    assert len((await read_operations(db, editor, session_id, seen, 100)).items) == 5


async def test_moving(db, organization, board):
    session_id, (first, second) = board
    owner = organization.tenant
    (third,) = await run(db, owner, add_ideas, session_id, NewIdea(text="Visit", after=first))

    async def order():
        return [idea.id for idea in (await get_board(db, owner, session_id)).ideas]

    assert await order() == [first, third, second]
    for _ in range(40):  # as often as one likes: the gap halves and is never used up
        await run(db, owner, change_idea, session_id, second, IdeaChange(after=first), None)
        await run(db, owner, change_idea, session_id, third, IdeaChange(after=first), None)
    assert await order() == [first, third, second]
    await run(db, owner, change_idea, session_id, second, IdeaChange(after=None), None)
    assert await order() == [second, first, third]
    with pytest.raises(RowMissing):
        await run(db, owner, change_idea, session_id, second, IdeaChange(after=session_id), None)


async def test_clusters(db, organization, people, board):
    session_id, (first, _second) = board
    editor = people[0]
    cluster = await run(db, editor, save_cluster, session_id, " Calls ")
    await run(db, editor, change_idea, session_id, first, IdeaChange(cluster_id=cluster.id), None)
    renamed = await run(
        db, editor, save_cluster, session_id, "Voice", cluster_id=cluster.id, seen=cluster.version
    )
    with pytest.raises(VersionStale):
        await run(
            db, editor, save_cluster, session_id, "V", cluster_id=cluster.id, seen=cluster.version
        )
    board = await get_board(db, editor, session_id)
    assert board.clusters == [renamed]
    assert board.ideas[0].cluster_id == cluster.id
    await run(db, editor, delete_cluster, session_id, cluster.id)
    board = await get_board(db, editor, session_id)
    assert (board.clusters, board.ideas[0].cluster_id, len(board.ideas)) == ([], None, 2)
    for change in (
        run(db, editor, delete_cluster, session_id, cluster.id),
        run(db, editor, save_cluster, session_id, "V", cluster_id=cluster.id),
        run(db, editor, change_idea, session_id, first, IdeaChange(cluster_id=cluster.id), None),
        run(db, editor, change_idea, session_id, cluster.id, IdeaChange(text="x"), None),
        run(db, editor, delete_idea, session_id, cluster.id, None),
        run(db, editor, vote, session_id, cluster.id, True),
    ):
        with pytest.raises(RowMissing):
            await change


async def test_twenty_editors_lose_nothing(db, superuser_url, organization):
    editors = [await add_member(superuser_url, organization, "member") for _ in range(20)]
    shared = tuple((editor, "editor") for editor in editors)
    session_id, ideas = await make_board(
        db, organization.tenant, "One", "Two", "Three", shared=shared
    )
    begun = (await get_board(db, organization.tenant, session_id)).session.version
    stale, all_have_read = 0, asyncio.Barrier(len(editors))

    async def edit(n, editor):
        nonlocal stale
        is_first = True
        await run(db, editor, add_ideas, session_id, NewIdea(text=f"Of {n}"))
        await run(db, editor, vote, session_id, ideas[n % 3], True)
        # Everybody appends to the same text: whoever is refused reads it again.
        while True:
            board = await get_board(db, editor, session_id)
            if is_first:
                is_first = False
                await all_have_read.wait()
            text = next(idea.text for idea in board.ideas if idea.id == ideas[0])
            change = IdeaChange(text=f"{text} {n}")
            try:
                await run(
                    db, editor, change_idea, session_id, ideas[0], change, board.session.version
                )
                break
            except VersionStale:
                stale += 1
        tags = IdeaChange(tags=[f"t{n}"])
        await run(db, editor, change_idea, session_id, ideas[1 + n % 2], tags, None)

    await asyncio.gather(*(edit(n, editor) for n, editor in enumerate(editors)))
    board = await get_board(db, organization.tenant, session_id)
    assert {idea.text for idea in board.ideas} >= {f"Of {n}" for n in range(20)}
    assert sum(idea.votes for idea in board.ideas) == 20
    first = next(idea for idea in board.ideas if idea.id == ideas[0])
    assert sorted(first.text.split()[1:], key=int) == [str(n) for n in range(20)]
    done = (await read_operations(db, organization.tenant, session_id, begun, 1000)).items
    # An idea, a vote, a text and tags of each, numbered without a gap.
    assert [one.version for one in done] == list(range(begun + 1, begun + 81))
    assert board.session.version == begun + 80
    assert stale >= 19  # of the first tries one alone saw what stood there when it came


async def test_human_first(db, organization, people):
    owner, (editor, viewer, _) = organization.tenant, people
    session_id, _ = await make_board(
        db, owner, "Mine", human_first=1, shared=((editor, "editor"), (viewer, "viewer"))
    )
    await run(db, owner.as_service(), add_ideas, session_id, NewIdea(text="The engine's"))
    await ask(db, owner.as_service(), RESULT, id=session_id)

    async def seen(tenant):
        board = await get_board(db, tenant, session_id)
        (counts,) = await ask(db, tenant, COUNTS)
        return board.session.hides_ai, len(board.ideas), counts["results"]

    assert await seen(owner) == await seen(editor) == (True, 1, 0)
    assert await seen(owner.as_service()) == (True, 2, 1)
    await run(db, editor, add_ideas, session_id, NewIdea(text="Theirs"))
    for tenant in (owner, editor, viewer):
        assert await seen(tenant) == (False, 3, 1)
    board = await get_board(db, viewer, session_id)
    assert [(i.origin, i.author) for i in board.ideas][1] == ("engine", "AI")
    await run(db, owner, change_brainstorm, session_id, SessionChange(human_first=2), None)
    assert (await seen(owner))[0]
    await run(db, owner, change_brainstorm, session_id, SessionChange(human_first=0), None)
    assert not (await seen(owner))[0]


async def test_from_a_conversation(db, organization, people):
    owner, (editor, _, stranger) = organization.tenant, people
    channel_id = await make_channel(db, owner)
    thread_id = await make_thread(db, owner, channel_id)
    said = [
        ("Ada", "It is late. How do we get there? Any ideas?"),
        ("Bo", "I do not know."),
    ]
    ids = await add_messages(db, owner, channel_id, said, thread_id=thread_id)
    for given in (Conversation(thread_id=thread_id), Conversation(message_ids=ids)):
        new = NewBrainstorm(conversation=given)
        session_id, _ = await run(db, owner, start_brainstorm, new)
        await run(db, owner, share_brainstorm, session_id, editor.user_id, "editor")
        board = await get_board(db, owner, session_id)
        assert board.session.topic == "Any ideas?"
        assert [message.sender for message in board.context] == ["Ada", "Bo"]
        # The messages are shown to who may read them where they are.
        assert (await get_board(db, editor, session_id)).context == []
        with pytest.raises(RowMissing):
            await run(db, stranger, start_brainstorm, new)
    for wrong, error in (
        (Conversation(message_ids=[ids[1]]), InputInvalid),
        (Conversation(message_ids=[ids[0], thread_id]), RowMissing),
        (Conversation(), RowMissing),
        (Conversation(message_ids=list(_many())), InputInvalid),
    ):
        with pytest.raises(error):
            await run(db, owner, start_brainstorm, NewBrainstorm(conversation=wrong))


def _many():
    return [uuid7() for _ in range(201)]


@pytest.mark.parametrize(
    ("work", "given"),
    [
        (add_ideas, NewIdea(text=" ")),
        (add_ideas, NewIdea(text="x" * 2001)),
        (add_ideas, NewIdea(text="x", tags=["a"] * 21)),
        (add_ideas, NewIdea(text="x", tags=[""])),
        (save_cluster, "x" * 101),
    ],
)
async def test_what_is_too_much(db, organization, board, work, given):
    with pytest.raises(InputInvalid):
        await run(db, organization.tenant, work, board[0], given)


async def test_a_session_has_bounds(db, organization):
    for new in (
        NewBrainstorm(),
        NewBrainstorm(topic="x" * 301),
        NewBrainstorm(topic="x", human_first=21),
    ):
        with pytest.raises(InputInvalid):
            await run(db, organization.tenant, start_brainstorm, new)
    session_id, _ = await make_board(db, organization.tenant)
    texts = [f"Idea {n}" for n in range(1001)]
    with pytest.raises(StateConflict):
        await run(db, organization.tenant, add_ideas, session_id, NewIdea(text=""), texts=texts)


@pytest.mark.parametrize("ends_at", ["9999-12-31T23:59:59-14:00", "2026-01-01T10:00:00"])
async def test_a_timer_ends_within_a_day(db, organization, board, ends_at):
    change = SessionChange(timer_ends_at=datetime.fromisoformat(ends_at))
    with pytest.raises(InputInvalid):
        await run(db, organization.tenant, change_brainstorm, board[0], change, None)


async def test_the_list_turns_pages(db, organization, people):
    owner = organization.tenant
    made = [(await make_board(db, owner, topic=f"Topic {n}"))[0] for n in range(3)]
    first = await list_brainstorms(db, owner, Page(2))
    assert [one.id for one in first.items] == made[:0:-1]
    second = await list_brainstorms(db, owner, Page(2, first.next_cursor))
    assert [one.id for one in second.items] == made[:1]
    assert second.next_cursor is None
    assert (await list_brainstorms(db, people[0], Page(2))).items == []


async def test_who_leaves_hands_over(db, superuser_url, organization, people):
    """To the editor who was there first; what nobody else writes in goes along."""
    import psycopg

    editor, viewer, leaver = people
    kept, _ = await make_board(db, leaver, "A", shared=((viewer, "viewer"), (editor, "editor")))
    gone, _ = await make_board(db, leaver, "B", shared=((viewer, "viewer"),))
    async with await psycopg.AsyncConnection.connect(superuser_url) as connection:
        await connection.execute(
            "DELETE FROM tidings.organization_members WHERE user_id = %s", [leaver.user_id]
        )
    board = await get_board(db, editor, kept)
    assert (board.session.owner_id, board.session.role) == (editor.user_id, "owner")
    assert [person.role for person in board.people] == ["owner", "viewer"]
    with pytest.raises(RowMissing):
        await get_board(db, viewer, gone)
    async with await psycopg.AsyncConnection.connect(superuser_url) as connection:
        await connection.execute(
            "DELETE FROM tidings.organizations WHERE id = %s", [organization.organization_id]
        )
        left = await connection.execute("SELECT count(*) FROM tidings.brainstorm_sessions")
        assert await left.fetchone() == (0,)


async def test_a_deleted_idea_comes_back(db, organization, people, board):
    """With its text, place, cluster and votes; and nobody is said to have taken theirs back."""
    session_id, (first, second) = board
    owner, (editor, viewer, stranger) = organization.tenant, people
    cluster = await run(db, owner, save_cluster, session_id, "Calls")
    change = IdeaChange(cluster_id=cluster.id, tags=["a"], status="selected")
    await run(db, owner, change_idea, session_id, first, change, None)
    for person in (owner, editor):
        await run(db, person, vote, session_id, first, True)
    before = await get_board(db, owner, session_id)
    await run(db, editor, delete_idea, session_id, first, None)
    for person, error in ((viewer, RoleForbidden), (stranger, RowMissing)):
        with pytest.raises(error):
            await run(db, person, restore, session_id, first)
    for _ in range(2):
        assert await run(db, editor, restore, session_id, first) == "idea"
    after = await get_board(db, owner, session_id)
    was, now = before.ideas[0], after.ideas[0]
    assert [one.id for one in after.ideas] == [first, second]
    for name in ("text", "status", "tags", "cluster_id", "votes", "author_id", "created_at"):
        assert getattr(now, name) == getattr(was, name), name
    done = await read_operations(db, owner, session_id, before.session.version, 10)
    assert [one.action for one in done.items] == ["idea.deleted", "idea.added", "vote.added"]
    with pytest.raises(RowMissing):
        await run(db, owner, restore, session_id, second)


async def test_a_deleted_cluster_comes_back(db, organization, board):
    session_id, (first, second) = board
    owner = organization.tenant
    one, two = [await run(db, owner, save_cluster, session_id, name) for name in "AB"]
    for idea in (first, second):
        change = IdeaChange(cluster_id=one.id)
        await run(db, owner, change_idea, session_id, idea, change, None)
    await run(db, owner, delete_cluster, session_id, one.id)
    await run(db, owner, change_idea, session_id, second, IdeaChange(cluster_id=two.id), None)
    for _ in range(2):
        assert await run(db, owner, restore, session_id, one.id) == "cluster"
    found = await get_board(db, owner, session_id)
    assert [cluster.name for cluster in found.clusters] == ["A", "B"]
    assert [idea.cluster_id for idea in found.ideas] == [one.id, two.id]
    # An idea whose cluster is gone comes back in none.
    await run(db, owner, delete_idea, session_id, first, None)
    await run(db, owner, delete_cluster, session_id, one.id)
    await run(db, owner, restore, session_id, first)
    assert (await get_board(db, owner, session_id)).ideas[0].cluster_id is None


async def test_a_full_board_takes_nothing_back(db, organization):
    owner = organization.tenant
    session_id, (first, *_, last) = await make_board(db, owner, *(f"Idea {n}" for n in range(1000)))
    await run(db, owner, delete_idea, session_id, first, None)
    await run(db, owner, add_ideas, session_id, NewIdea(text="Another"))
    with pytest.raises(StateConflict):
        await run(db, owner, restore, session_id, first)
    # What an engine suggests stops where the board is full, and takes nothing down with it.
    async with db.tenant_transaction(owner.as_service()) as transaction:
        assert await add_suggestions(transaction, session_id, [Suggestion("x", "gap")]) == []
    await run(db, owner, delete_idea, session_id, last, None)
    offered = [Suggestion(text, "gap") for text in ("Another", "New", "new", " ", "One more")]
    async with db.tenant_transaction(owner.as_service()) as transaction:
        assert len(await add_suggestions(transaction, session_id, offered)) == 1


async def test_what_an_engine_says_of_ones_idea_waits_too(db, organization, people):
    owner = organization.tenant
    session_id, (mine, _) = await make_board(db, owner, "Mine", "Too", human_first=3)
    given = {
        "id": session_id,
        "ideas": [mine],
        "details": ['{"description": "secret"}'],
        "scores": ['{"overall": {"score": 1, "reason": "secret"}}'],
    }
    async with db.tenant_transaction(owner.as_service()) as transaction:
        await transaction.execute(sql.enrich_ideas, given)

    async def told():
        idea = (await get_board(db, owner, session_id)).ideas[0]
        done = await read_operations(db, owner, session_id, 0, 100)
        return idea.details, idea.scores, "secret" in str(done)

    assert await told() == (None, None, False)
    await run(db, owner, add_ideas, session_id, NewIdea(text="Third"))
    details, scores, is_told = await told()
    assert (details["description"], scores["overall"]["score"], is_told) == ("secret", 1, True)


async def test_who_is_at_a_board_is_seen_there_alone(db, organization, people, board):
    """Row security holds it, whatever asks: rooms are the organization's, boards are not."""
    session_id, _ = board
    editor, viewer, stranger = people
    presences, topic = Presences(db), f"{BOARD}:{session_id}"
    await presences.show(viewer, topic, uuid7(), {})
    connection = uuid7()
    await presences.show(editor, topic, connection, {})
    await presences.show(stranger, "room:a", uuid7(), {})
    assert len(await presences.who(editor, topic)) == 2
    assert await presences.who(stranger, topic) == []
    with pytest.raises(RoleForbidden):
        await Presences(db).show(stranger, topic, uuid7(), {})
    await run(db, organization.tenant, unshare_brainstorm, session_id, editor.user_id)
    seen = await presences.who(organization.tenant, topic)
    assert [one.user_id for one in seen] == [viewer.user_id]
    assert await presences.renew() == 2
    assert len(await presences.who(organization.tenant, topic)) == 1
    await run(db, organization.tenant, delete_brainstorm, session_id)
    assert await ask(db, organization.tenant, HERE) == [{"topic": "room:a"}]


async def test_answers_are_swept(db, organization):
    service = organization.tenant.as_service()
    from tidings.brainstorm.sweep import sweep_brainstorm_answers

    await ask(db, service, REMEMBER, ttl="1 day")
    assert await sweep_brainstorm_answers(db) == 0
    await ask(
        db,
        service,
        Query("age", "Ages.", "UPDATE tidings.brainstorm_ai_cache SET expires_at = tidings.now()"),
    )
    assert await sweep_brainstorm_answers(db) == 1
    assert (await ask(db, service, CACHED))[0]["count"] == 0
