"""Key phrases are what the meeting is about, counted by segment."""

from tidings.ai.engines.local import Phrase, Reading, Utterance, read_meeting
from tidings.ai.engines.local.nouns import singular

TALK = (
    "The remote control has a touch screen.",
    "We think that the touch screen is too expensive for a remote control.",
    "A battery is cheap, and the remote controls need two batteries.",
    "Some people want the remote control to have a battery that lasts.",
    "I think the touch screen should go, and the battery should stay.",
    "Anna says that last week a lot of people lost the remote control.",
    "Anna and the sort of thing Anna does, you know, a lot of people.",
)


def read(*lines: str, speaker: str = "Anna") -> Reading:
    return read_meeting([Utterance(f"s{i}", speaker, line) for i, line in enumerate(lines)])


def phrases(*lines: str) -> dict[str, Phrase]:
    return {phrase.key: phrase for phrase in read(*lines).phrases}


def test_compounds_come_first():
    assert [p.topic for p in read(*TALK).phrases[:3]] == [
        "remote control",
        "touch screen",
        "battery",
    ]


def test_singular_and_plural_are_one_and_count_segments():
    found = phrases(*TALK)
    assert found["remote control"].segments == (0, 1, 2, 3, 5)
    assert found["battery"].segments == (2, 3, 4)


def test_every_quote_holds_the_topic():
    for phrase in read(*TALK).phrases:
        assert phrase.mentions
        for mention in phrase.mentions:
            assert phrase.topic.lower() in mention.quote.lower()
            assert mention.quote in TALK[int(mention.segment_id[1:])]


def test_names_fillers_and_generalities_are_no_topics():
    topics = " ".join(phrases(*TALK))
    for word in ("anna", "week", "sort", "lot", "people", "thing"):
        assert word not in topics.split()


def test_a_verb_is_no_topic():
    found = phrases(
        "We ship the crates and we ship them early.",
        "They ship to us when you ship to them.",
        "I ship crates, and the crates are heavy.",
    )
    assert "ship" not in found
    assert "crate" in found


def test_half_of_a_spaced_compound_is_no_topic():
    found = phrases(
        "The multi - stream tandem is good.",
        "The multi - stream tandem is the best.",
        "We use the multi - stream tandem for the test.",
    )
    assert "multi" not in found
    assert "stream tandem" not in found


def test_places_and_people_are_no_topics():
    found = phrases(
        "The depot at Merrow Quay is cold, and Merrow Quay is far.",
        "Old Bess is slow, and Old Bess is ugly.",
        "At Merrow Quay the Wage Subsidy counts, the wage subsidy is paid by Old Bess.",
    )
    assert "wage subsidy" in found
    assert not {"merrow quay", "old bess", "quay", "bess"} & set(found)


def test_a_hyphenated_compound_is_a_topic():
    found = phrases(
        "The cut-off is at four.", "We need one cut-off for the stores.", "A cut-off is a cut-off."
    )
    assert found["cut-off"].segments == (0, 1, 2)


def test_an_adverb_that_describes_may_open_a_phrase():
    found = phrases(
        "The hourly export runs.", "We have an hourly export.", "An hourly export it is."
    )
    assert "hourly export" in found


def test_an_acronym_is_shown_as_it_is_written():
    found = phrases("The L_C_D_ is new.", "I like the L_C_D_ here.", "This L_C_D_ is big.")
    assert found["lcd"].topic == "L_C_D_"


def test_the_plural_is_shown_where_nobody_uses_the_singular():
    found = phrases("The stores order.", "Our stores count.", "All the stores wait for the stores.")
    assert found["store"].topic == "stores"


def test_singulars():
    words = (
        "batteries boxes sizes quizzes glasses stores status bus is analysis brushes client's gas"
    )
    assert [singular(w) for w in words.split()] == [
        "battery", "box", "size", "quizz", "glass", "store", "status", "bus", "is", "analysis",
        "brush", "client's", "gas",
    ]  # fmt: skip
