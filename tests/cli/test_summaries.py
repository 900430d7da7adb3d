"""`tidings summaries` alone makes a summary, and prints it."""

import psycopg
import pytest

from tidings.base.ids import uuid7


@pytest.fixture
def channel(cli, superuser_url: str) -> str:
    """A channel of the owner of the default organization, with a message."""
    assert cli("summaries", "show").code == 0
    channel_id = str(uuid7())
    with psycopg.connect(superuser_url) as connection:
        organization, user = connection.execute(
            "SELECT organization_id, user_id FROM tidings.organization_members"
        ).fetchone()
        given = {"o": organization, "u": user, "c": channel_id, "m": str(uuid7())}
        connection.execute(
            "INSERT INTO tidings.channels (organization_id, id, name, kind, created_by, "
            "last_position) VALUES (%(o)s, %(c)s, 'Support', 'chat', %(u)s, 1)",
            given,
        )
        connection.execute(
            "INSERT INTO tidings.messages (organization_id, id, channel_id, position, external_id,"
            " direction, sender_id, sender_name, body, sent_at, search) VALUES (%(o)s, %(m)s,"
            " %(c)s, 1, '1', 'in', 'ana', 'Ana', 'We decided to roll back on Friday evening.',"
            " '2026-03-02T12:00Z', '')",
            given,
        )
    return channel_id


def test_a_summary_needs_no_other_process(cli, channel: str) -> None:
    made = cli("summaries", "make", "channel", channel, "--here")
    assert (made.code, made.out.splitlines()[0]) == (0, "# Support")
    assert "“We decided to roll back on Friday evening.”" in made.out
    again = cli("summaries", "make", "channel", channel, "--json").json
    assert again["decisions"] == ["We decided to roll back on Friday evening."]
    shown = cli("summaries", "show", again["id"])
    assert shown.out == made.out
    assert again["id"] in cli("summaries", "show").out
    assert cli("summaries", "show", "--json").json[0]["id"] == again["id"]


def test_what_is_asked_wrongly_says_so(cli) -> None:
    missing = cli("summaries", "make", "channel")
    assert missing.code == 1
    assert "reference is missing" in missing.err
    wrong = cli("summaries", "make", "daily_digest", "--timezone", "Mars", "--date", "2026-03-02")
    assert "is not a time zone" in wrong.err
    late = cli("summaries", "make", "catch_up", "--since", "2999-01-01", "--engine", "local")
    assert "in the future" in late.err
