"""Only English is read; anything else is said to be unsupported."""

import pytest

from tidings.ai.engines.local.language import SAMPLE, is_supported, looks_english


@pytest.mark.parametrize("tag", ["en", "EN-gb", "en_US", "english", " en "])
def test_english_is_supported(tag):
    assert is_supported(tag)


@pytest.mark.parametrize("tag", ["cy", "de", "fr-CA", "", "enx", "und"])
def test_nothing_else_is(tag):
    assert not is_supported(tag)


GERMAN = (
    "wir wollen bis zum herbst ein gemeinsames bestellsystem haben weil die filialen sonst jede "
    "woche mehrere stunden verlieren und niemand den zahlen vertraut die im lager stehen"
)
WELSH = (
    "mae angen i ni sicrhau bod plant yn gallu cael gofal yn y gymraeg ac rydym yn gweithio gydag "
    "awdurdodau lleol i wneud hynny cyn diwedd y flwyddyn nesaf os yw hynny yn bosibl"
)
ENGLISH = (
    "we want one order system by the autumn because the stores lose hours every week and nobody "
    "trusts the numbers that they have in the depot when the lorries leave at night"
)


@pytest.mark.parametrize("text", [GERMAN, WELSH])
def test_another_language_does_not_look_english(text):
    assert not looks_english(text.split())


def test_english_looks_english():
    assert looks_english(ENGLISH.split())


def test_few_words_are_given_the_benefit():
    assert looks_english(["guten", "tag"])


def test_a_long_text_is_sampled():
    assert looks_english(ENGLISH.split() * 200 + ["xyz"] * SAMPLE * 10)
