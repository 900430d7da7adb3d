"""The local engine's lines are words of the messages."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.ai.evidence import is_quoted
from tidings.messages.quotes import own_words
from tidings.summaries.draft import Claim, Draft, Heard, Line, Reduction
from tidings.summaries.local import LONGEST, read_window, reduce_readings
from tidings.summaries.verify import conclude
from tidings.summaries.windows import Message, Part, Window, windows

START = datetime(2026, 3, 2, 12, tzinfo=UTC)


def window(said: list[tuple[str, str]], first: int = 0) -> Window:
    return Window(
        UUID(int=1),
        [
            Part(UUID(int=n + 1), sender, text, START + timedelta(minutes=n))
            for n, (sender, text) in enumerate(said, first)
        ],
    )


def heard(*windows: Window) -> Reduction:
    return Reduction("thread", tuple(Heard("1", "Support", read_window(w)) for w in windows))


def test_an_action_has_its_owner_and_its_day() -> None:
    reading = read_window(
        window(
            [
                ("Ana Lund", "The export is broken. Ben, can you look at it by Friday?"),
                ("Ben Oaks", "Sure. I will fix the export tomorrow."),
                ("Ana Lund", "Could you also tell the customers?"),
            ]
        )
    )
    actions = [(f.text, f.owner, f.due) for f in reading.findings if f.kind == "action"]
    assert actions == [
        ("Ben, can you look at it by Friday?", "Ben Oaks", "2026-03-06"),
        ("I will fix the export tomorrow.", "Ben Oaks", "2026-03-03"),
        ("Could you also tell the customers?", None, None),
    ]


def test_a_question_that_was_answered_is_not_open() -> None:
    reading = read_window(
        window(
            [
                ("Ana", "Who is on call?"),
                ("Ben", "Cleo is on call this week, Ana."),
                ("Ana", "And who pays for it?"),
            ]
        )
    )
    assert [f.text for f in reading.findings if f.kind == "question"] == ["And who pays for it?"]


def test_windows_are_told_in_order_and_each_line_once() -> None:
    first = [("Ana", "We decided to move the office to Bergen next summer.")]
    second = [("Ben", "We decided to move the office to Bergen next summer."), *first]
    draft = reduce_readings(heard(window(first), window(second, 10)))
    assert [line.text for line in draft.decisions] == [first[0][1]]
    assert draft.summary[0].text == first[0][1]
    assert draft.key_points == ()  # said already


def test_of_a_digest_each_channel_has_its_points() -> None:
    said = [("Ana", "We decided to move the office to Bergen next summer.")]
    draft = reduce_readings(msgspec.structs.replace(heard(window(said)), purpose="daily_digest"))
    assert [line.text for line in draft.key_points] == [said[0][1]]
    more = [
        (who, f"The {thing} of the depot in Leeds arrived broken this morning.")
        for who, thing in (("Ana", "pallet"), ("Ben", "printer"), ("Cleo", "scanner"))
    ]
    both = heard(
        window(said), window([*more, ("Ana", "A spare printer is on its way to Leeds.")], 9)
    )
    draft = reduce_readings(msgspec.structs.replace(both, purpose="catch_up"))
    assert said[0][1] in [line.text for line in draft.key_points]


def test_a_long_sentence_is_cut_at_a_word() -> None:
    text = "I will " + "write " * 200
    (action,) = (f for f in read_window(window([("Ana", text)])).findings if f.kind == "action")
    assert len(action.text) <= LONGEST
    assert text.startswith(action.text)
    assert action.text.endswith("write")


@given(said=st.lists(st.tuples(st.sampled_from(["Ana", "Ben", " "]), st.text(max_size=80))))
def test_every_line_is_a_part_of_its_message(said: list[tuple[str, str]]) -> None:
    read = window(said)
    texts = {str(part.message_id): part.text for part in read.parts}
    for finding in read_window(read).findings:
        assert is_quoted(finding.quote, texts[finding.message_id])
    draft = reduce_readings(heard(read))
    for line in (*draft.summary, *draft.key_points, *draft.action_items, *draft.open_questions):
        assert all(is_quoted(claim.quote, texts[claim.message_id]) for claim in line.evidence)


MAIL = """Hi Ana,

the importer fails on every file above ten megabytes, and it has done so ever since
the upgrade last week.

On Mon, 2 Mar 2026 at 09:00, Ana Lund wrote:
> We decided to sell the company.
> Can you send the report by Friday?

Can you send us the new build by Friday?

Kind regards
Ben Oaks
--
Oaks and Sons, call us for anything urgent please
"""


def test_of_mail_only_its_own_words_are_told() -> None:
    (mail,) = [window([("Ben Oaks", own_words(MAIL))])]
    found = read_window(mail).findings
    assert [(f.kind, f.text, f.due) for f in found] == [
        (
            "overview",
            " ".join(MAIL.splitlines()[2:4]),
            None,
        ),
        ("action", "Can you send us the new build by Friday?", "2026-03-06"),
    ]
    assert all(is_quoted(f.quote, MAIL) for f in found)


def test_what_a_mail_quotes_is_neither_read_nor_taken_for_said() -> None:
    quoted = "We decided to sell the company in April, whatever anybody may say."
    mail = f"Please send me the contract by Friday.\n\nOn 2 March 2026 Ana wrote:\n> {quoted}"
    message = Message(UUID(int=1), UUID(int=2), 1, "Ben", mail, START, 0)
    (read,) = windows([message])
    assert [part.text for part in read.parts] == ["Please send me the contract by Friday."]
    draft = Draft(
        decisions=(Line("They sell.", (Claim(str(message.id), quoted),)),),
        key_points=(Line("A contract.", (Claim(str(message.id), "send me the contract"),)),),
    )
    content = conclude(draft, [message], {}, is_digest=False)
    assert (content.decisions, content.key_points) == ([], ["A contract."])
    assert [one.text for one in content.unverified] == ["They sell."]


@pytest.mark.parametrize(
    "said",
    [
        "you need to edit /boot/grub/menu.lst",
        "just read http://a.example/faq/upgrade please",
        "Why on earth would you need to do that?",
        "could someone please tell me where grub is?",
        "I'll take that as a no",
        "After, please.",
        "please don't paste in here",
    ],
)
def test_talk_is_not_a_task(said: str) -> None:
    read = read_window(window([("Ana", said)])).findings
    assert [f for f in read if f.kind == "action"] == []
