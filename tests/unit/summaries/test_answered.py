"""A question is open until somebody answers it, in whichever window."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from tidings.summaries.answered import answered, without_answered
from tidings.summaries.draft import Finding, Heard, Reading
from tidings.summaries.local import read_window
from tidings.summaries.windows import WINDOW_MESSAGES, Message, Part, windows

START = datetime(2026, 3, 2, 12, tzinfo=UTC)
CHANNEL, OTHER = UUID(int=7), UUID(int=8)


def parts(*said: tuple[str, str]) -> list[Part]:
    return [
        Part(UUID(int=n + 1), sender, text, START + timedelta(minutes=n))
        for n, (sender, text) in enumerate(said)
    ]


def test_among_few_the_next_to_write_answers() -> None:
    said = parts(
        ("Ana", "Where did you put the keys of the van?"),
        ("Ben", "On the hook beside the door."),
        ("Ana", "And who drives to Hull?"),
        ("Ben", "Is it far?"),
    )
    assert 0 in answered(said)
    assert 2 not in answered(said)


def test_who_is_asked_by_name_answers() -> None:
    said = parts(
        ("Ana", "Cleo, who has the key to the print room?"),
        ("Ben", "The lift is broken again."),
        ("Cleo", "Gate office, ask for Des."),
    )
    assert 0 in answered(said)


def test_another_thread_answers_nothing() -> None:
    one, two = parts(
        ("Ana", "When is the delivery due in Bergen?"), ("Ben", "The invoice is wrong.")
    )
    far = Part(two.message_id, two.sender, two.text, two.at, thread_id=UUID(int=3))
    here = Part(one.message_id, one.sender, one.text, one.at, thread_id=UUID(int=2))
    assert answered([here, far]) == set()


def test_a_reply_header_answers_however_late() -> None:
    said = [
        Part(UUID(int=1), "Ana", "Who signs the contract?", START, UUID(int=2), "<a@x>"),
        Part(UUID(int=2), "Ana", "Anybody there?", START, UUID(int=3), "<b@x>"),
        Part(UUID(int=3), "Ben", "Cleo signs it.", START, UUID(int=4), "<c@x>", "<a@x>"),
        Part(UUID(int=4), "Ana", "Still me.", START, UUID(int=5), "<d@x>", "<b@x>"),
    ]
    assert answered(said) == {0}


def conversation(*said: tuple[str, str], channel: UUID = CHANNEL) -> list[Message]:
    return [
        Message(
            UUID(int=channel.int * 1000 + n),
            channel,
            n + 1,
            who,
            text,
            START + n * timedelta(0, 9),
            n,
        )
        for n, (who, text) in enumerate(said)
    ]


CHATTER = [("Ana", f"Pallet {n} is on the lorry.") for n in range(WINDOW_MESSAGES - 1)]
QUESTION = "Who tells the customers in Bergen?"


def open_questions(messages: list[Message]) -> list[str]:
    whole = windows(messages)
    heard = [Heard(str(w.channel_id), "x", read_window(w)) for w in whole]
    kept = without_answered(whole, heard)
    return [f.text for one in kept for f in one.reading.findings if f.kind == "question"]


def test_an_answer_in_the_next_window_closes_the_question() -> None:
    asked = [*CHATTER, ("Ana", QUESTION)]
    assert open_questions(conversation(*asked)) == [QUESTION]
    more = [("Ana", "Pallet 100 is on the lorry."), ("Ben", "I told them this morning.")]
    assert open_questions(conversation(*asked, *more)) == []
    assert open_questions(conversation(*asked, more[0])) == [QUESTION]
    # What is written elsewhere answers nothing.
    elsewhere = conversation(more[1], channel=OTHER)
    assert open_questions([*conversation(*asked), *elsewhere]) == [QUESTION]


def test_a_reply_many_windows_later_closes_the_question() -> None:
    asked = conversation(("Cleo", QUESTION), *(CHATTER * 3), ("Ben", "Ana did."))
    first, last = asked[0], asked[-1]
    people = [f"P{n}" for n in range(9)]  # too many for the next to be taken to answer
    crowd = [
        Message(m.id, m.channel_id, m.position, people[n % 9], m.body, m.sent_at, m.ordinal)
        for n, m in enumerate(asked[1:-1])
    ]
    replied = Message(
        last.id,
        CHANNEL,
        last.position,
        "Ben",
        last.body,
        last.sent_at,
        last.ordinal,
        None,
        "b",
        "a",
    )
    named = Message(first.id, CHANNEL, 1, "Cleo", QUESTION, START, 0, None, "a")
    assert QUESTION in open_questions([named, *crowd, last])
    assert QUESTION not in open_questions([named, *crowd, replied])


def test_a_provider_is_told_no_question_that_was_answered() -> None:
    messages = conversation(*CHATTER, ("Ana", QUESTION), ("Ben", "I told them this morning."))
    whole = windows(messages)
    found = Finding("question", "Who tells them?", str(messages[99].id), QUESTION, 1.0, START)
    heard = [Heard("7", "x", Reading((found,))), Heard("7", "x", Reading())]
    assert [one.reading.findings for one in without_answered(whole, heard)] == [(), ()]
