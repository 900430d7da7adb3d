"""What a conversation is about."""

from hypothesis import given
from hypothesis import strategies as st

from tidings.ai.engines.local.topics import topics
from tidings.ai.engines.local.utterances import Said

SAID = [
    Said("Anna", "The billing export fails, see https://example.com/exporting-things"),
    Said("Ben", "Which customers use the billing export?"),
    Said("Anna", "All of them. The rate limit is another story."),
    Said("Ben", "I raised the rate limit this morning."),
    Said("Carl", "Hello Anna"),
]


def test_what_is_named_more_than_once():
    found = {topic.name: topic for topic in topics(SAID)}
    assert found["billing export"].indexes == [0, 1]
    assert found["rate limit"].indexes == [2, 3]
    assert all(0 < topic.confidence < 1 for topic in found.values())
    assert not any(word in name for name in found for word in ("anna", "example", "http"))


def test_more_messages_are_surer():
    (few,) = [t for t in topics(SAID) if t.name == "billing export"]
    (many,) = [t for t in topics(SAID * 5) if t.name == "billing export"]
    assert many.confidence > few.confidence


def test_none():
    assert topics([]) == []
    assert topics([Said("Anna", "yes"), Said("Ben", "")]) == []
    assert topics(SAID, 0) == []
    assert len(topics(SAID, 1)) == 1


@given(st.lists(st.builds(Said, st.text(max_size=4), st.text(max_size=120)), max_size=6))
def test_any_text(said):
    for topic in topics(said):
        assert 0 <= topic.confidence <= 1
        assert topic.indexes == sorted(set(topic.indexes))
        assert all(0 <= i < len(said) for i in topic.indexes)
