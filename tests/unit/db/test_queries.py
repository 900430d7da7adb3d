import pytest

from tidings.db.queries import load_queries, parse_queries

TWO = """
-- name: one
-- Says one.
SELECT 1;

-- name: two_of_them
-- Says two,
-- in two lines.
SELECT 2 -- a comment of the statement
"""


def test_a_file_is_split_by_names_in_order() -> None:
    queries = parse_queries("x", TWO)
    assert list(queries) == ["one", "two_of_them"]
    assert (queries["one"].sentence, queries["one"].sql) == ("Says one.", "SELECT 1")
    assert queries["two_of_them"].sentence == "Says two, in two lines."
    assert queries["two_of_them"].sql.startswith("SELECT 2")


def test_no_query_is_no_query() -> None:
    assert parse_queries("x", "-- Only a comment.\n") == {}


@pytest.mark.parametrize(
    "text",
    [
        "-- name: one\nSELECT 1",
        "-- name: one\n-- Says one\nSELECT 1",
        "-- name: one\n-- Says one.\n",
        "-- name: one\n-- Says one.\nSELECT 1\n-- name: one\n-- Again.\nSELECT 2",
    ],
    ids=["no sentence", "no full stop", "no statement", "twice"],
)
def test_a_query_needs_a_sentence_a_statement_and_one_name(text: str) -> None:
    with pytest.raises(ValueError, match="query one needs"):
        parse_queries("x", text)


def test_queries_are_attributes_of_their_package() -> None:
    sql = load_queries("tidings.db.catalog")
    assert sql.columns.name == "columns"
    assert sql.columns in list(sql)
    with pytest.raises(AttributeError, match="has no query nowhere"):
        sql.nowhere  # noqa: B018 - the attribute raises
