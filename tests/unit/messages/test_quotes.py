"""What of a message is new, and what it quotes."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.messages.quotes import Forward, forwarded, own_words, split_quote, unmarked


def test_what_is_quoted_is_not_the_senders() -> None:
    assert own_words("Yes.\n> Is it?\n  > Really?\nSoon.") == "Yes.\n\nSoon."
    assert own_words("Yes.\n\nOn 2 March 2026 Ana wrote:\nIs it?") == "Yes."
    assert own_words("Yes.\n-----Original Message-----\nFrom: Ana") == "Yes."


@pytest.mark.parametrize(
    ("body", "own"),
    [
        ("Hi\nOn Mon, Mar 2, 2026 at 9:14 AM Ana <ana@example.com>\nwrote:\n> x", "Hi"),
        ("Ja.\nAm 2. März 2026 um 9:14 schrieb Ana <a@example.com>:\n> x", "Ja."),
        ("Oui\nLe 2 mars 2026 à 9:14, Ana a écrit :\nfoo", "Oui"),
        ("ok\r\nFrom: Ana <a@example.com>\r\nSent: Monday\r\nTo: x", "ok"),
        ("From: ten to noon we are closed.\nThanks", "From: ten to noon we are closed.\nThanks"),
        ("See you.\n-- \nAna\nHead of Joy", "See you."),
        ("On Monday I wrote: the plan", "On Monday I wrote: the plan"),
        ("a > b", "a > b"),
    ],
)
def test_heads_of_replies_and_signatures(body: str, own: str) -> None:
    assert own_words(body) == own


def test_an_answer_between_and_below_quotes_is_kept() -> None:
    body = """On Mon, 2 Mar 2026 at 09:00, Ana Lund wrote:
> Can we meet?

On Tuesday.

Ben Oaks <ben@a.example> schrieb am 1. März:
> And the price?
Still the same.
"""
    assert own_words(body) == "On Tuesday.\n\nStill the same."
    assert own_words("> Can we meet?\n> Or not?") == ""
    assert own_words("---------- Forwarded message ---------\nFrom: Ana\n\nHello") == ""


HEAD = "From: Bo Berg <bo@b.example>\nDate: Mon, 2 Mar 2026\nSubject: Box\nTo: Ana\n\n"
PHONE = """Sent from my phone

Begin forwarded message:

> *From:* <bo@b.example>
> *Date:* Mon
> *To:* Ana
>  and Kim
>
> We need
> the box."""
MARK = "---------- Forwarded message ---------\n"
SAID = "We need\nthe box."


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (f"{MARK}{HEAD}\n{SAID}\n", Forward(SAID, "Bo Berg")),
        (f"\n-- \nAna\n{MARK}{HEAD}{SAID}\n-- \nBo", Forward(SAID, "Bo Berg")),
        (f"____________________\n{HEAD}{SAID}", Forward(SAID, "Bo Berg")),
        (PHONE, Forward(SAID, "bo@b.example")),
        (f"{MARK}{HEAD}{MARK}Von: Kim\nBetreff: Box\n\n{SAID}", Forward(SAID, "Kim")),
        (f"{MARK}\n{SAID}", Forward(SAID, "")),
        (f"Please look.\n\n{MARK}{HEAD}{SAID}", None),
        ("On Mon, 2 Mar 2026 at 09:00, Ana wrote:\n> Can we meet?", None),
        (f"{MARK}{HEAD}", None),
        (MARK * 9 + SAID, None),
        ("Hello", None),
        ("", None),
    ],
)
def test_a_mail_that_only_passes_another_one_on(body: str, found: Forward | None) -> None:
    assert forwarded(body) == found


@given(st.lists(st.sampled_from([MARK, HEAD, SAID, "> ", "\n", "On 2 March Bo wrote:\n", "Yes."])))
def test_what_is_passed_on_stands_in_the_body(parts: list[str]) -> None:
    body = "".join(parts)
    if (found := forwarded(body)) is not None:
        assert found.words
        for line in found.words.splitlines():
            assert line in unmarked(body)
        assert own_words(body) == ""


def test_an_announcement_at_the_end_goes_with_what_it_announces() -> None:
    body = "Hi\nOn Mon, Mar 2, 2026 Ana <ana@a.example>\nwrote:\n> x\n> y"
    assert split_quote(body) == ("Hi", "On Mon, Mar 2, 2026 Ana <ana@a.example>\nwrote:\n> x\n> y")


def test_talk_that_only_looks_like_it_is_kept() -> None:
    for said in (
        "On Monday we wrote:\nbuy milk",
        "Please look:\nit works",
        "a -- b\nc: d",
        "http://a.example/x: y",
        "From: noon\nTo: one",
    ):
        assert own_words(said) == said


@pytest.mark.parametrize(
    "hostile",
    [
        "wrote " * 20_000 + "\n> x",
        "on 1" * 20_000 + ":\n> x",
        " " * 100_000 + ":\n>",
        "-" * 100_000,
    ],
    ids=["wrote", "on", "blank", "dashes"],
)
def test_hostile_mail_takes_no_time(hostile: str) -> None:
    begun = time.process_time()
    own_words(hostile)
    split_quote(hostile)
    assert time.process_time() - begun < 0.5


@given(st.text(max_size=400))
def test_own_words_are_lines_of_the_body(body: str) -> None:
    lines = {line.strip() for line in body.splitlines()}
    assert {line.strip() for line in own_words(body).splitlines()} <= lines | {""}
