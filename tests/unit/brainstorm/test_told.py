"""A board as files and numbers."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest

from tidings.base.ids import uuid7
from tidings.brainstorm.analytics import analyse
from tidings.brainstorm.board import Board, BoardPerson, Cluster, Idea, Session
from tidings.brainstorm.export import slides, to_csv, to_markdown, to_mermaid, to_slides

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
CLUSTER = Cluster(uuid7(), 'A "group"](x)', "person", 2)


def idea(text="One", *, minutes=1, votes=0, cluster_id=None, origin="person"):
    at = NOW - timedelta(minutes=minutes)
    return Idea(
        uuid7(),
        text,
        "new",
        "medium",
        ["a"],
        cluster_id,
        1.0,
        origin,
        None,
        "Ada",
        votes,
        False,
        None,
        None,
        2,
        at,
        at,
    )


def board(*ideas, topic="Pilots & more", description=""):
    session = Session(
        uuid7(),
        topic,
        description,
        "scamper",
        0,
        None,
        uuid7(),
        3,
        NOW,
        NOW,
        "owner",
        hides_ai=False,
    )
    return Board(session, [BoardPerson(uuid7(), "Ada", "owner")], [CLUSTER], list(ideas), [])


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "\n=1", " =1", "＝1", "＠x"]
)
def test_no_cell_is_a_formula(text):
    (row,) = csv.DictReader(io.StringIO(to_csv(board(idea(text)))))
    assert row["idea"].startswith("'")


def test_what_people_wrote_stays_text():
    hostile = '<b>x</b> [a](javascript:b) `c` "); click x call y() %% {}'
    told = board(idea(hostile, cluster_id=CLUSTER.id), topic=hostile, description=hostile)
    markdown, mermaid = to_markdown(told), to_mermaid(told)
    assert "<b>" not in markdown
    assert "](" not in markdown
    assert "\\`c\\`" in markdown
    lines = mermaid.splitlines()
    assert len(lines) == 4
    assert all(line.count('"') == 2 for line in lines[1:])
    assert not any(sign in line.split('"')[1] for line in lines[1:] for sign in '<>[](){}`"#')
    assert 'root(("…"))' in to_mermaid(board(topic="<>"))


def test_no_semicolon_begins_a_cell():
    told = to_csv(board(idea("a;=1+1", votes=2)))
    assert '"a;=1+1","",' in told
    assert ',2,"a",' in told


@pytest.mark.parametrize(
    ("text", "line"),
    [("1. First", "- 1\\. First"), ("- x", "- \\- x"), ("---", "- \\---"), ("- [ ] x", "- \\- ")],
)
def test_no_idea_begins_a_list(text, line):
    assert f"\n{line}" in to_markdown(board(idea(text)))


def test_slides_are_a_page_in_which_nothing_runs():
    hostile = "</style><script>alert(1)</script>\" onload='x' {body}"
    page = to_slides(board(idea(hostile, cluster_id=CLUSTER.id), topic=hostile, description="&"))
    assert "<script" not in page
    assert page.count("</style>") == 1
    assert page.count("&lt;script&gt;") == 3
    assert "<p>&amp;</p>" in page
    assert "A &quot;group&quot;](x)" in page
    assert "default-src 'none'" in page


def test_slides_hold_a_few_ideas_each():
    ideas = [idea(f"{n}", votes=n, cluster_id=CLUSTER.id) for n in range(8)]
    made = slides(board(*ideas, idea("loose")))
    assert [(title, [one.text for one in best]) for title, best in made] == [
        (CLUSTER.name, ["7", "6", "5", "4", "3", "2"]),
        (CLUSTER.name, ["1", "0"]),
        ("Without a cluster", ["loose"]),
    ]


@pytest.mark.parametrize(
    ("minutes", "trend"),
    [([], "quiet"), ([30], "quiet"), ([1], "rising"), ([15], "falling"), ([1, 15], "steady")],
)
def test_momentum(minutes, trend):
    told = analyse(board(*(idea(minutes=m) for m in minutes)), NOW)
    assert told.momentum.trend == trend


def test_numbers():
    told = analyse(
        board(idea(votes=2, cluster_id=CLUSTER.id), idea(votes=1), idea(origin="engine")), NOW
    )
    assert (told.ideas, told.by_people, told.by_engines) == (3, 2, 1)
    assert (told.votes, told.voted_ideas, told.votes_per_idea) == (3, 2, 1.0)
    assert [one.votes for one in told.top] == [2, 1]
    assert {one.name: one.count for one in told.by_cluster} == {
        CLUSTER.name: 1,
        "Without a cluster": 2,
    }
    assert told.momentum.by_day[0].count == 3
    assert analyse(board(), NOW).votes_per_idea == 0
