"""A board as a file: Markdown, JSON, CSV, a Mermaid mind map, slides. What people wrote is text."""

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Literal
from uuid import UUID

import msgspec

from tidings.brainstorm.board import Board, Idea

Format = Literal["markdown", "json", "csv", "mermaid", "slides"]

_MARKS = re.compile(r"([\\`*_{}\[\]<>()#+!|~&])")
_LIST = re.compile(r"^(\d*)([.-])")
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")  # some spreadsheets run the wide ones, too
_NOT_PLAIN = re.compile(r"[^\w .,:;?!%/€$'’–-]")
NO_CLUSTER = "Without a cluster"


class Exported(msgspec.Struct, frozen=True):
    """A file: its bytes, media type and name."""

    body: bytes
    media_type: str
    name: str


def export_board(board: Board, wanted: Format) -> Exported:
    """The board as a file of that format."""
    write, media_type, ending = FORMATS[wanted]
    return Exported(write(board).encode(), media_type, f"{_file_name(board)}.{ending}")


def by_cluster(board: Board) -> list[tuple[str, list[Idea]]]:
    """The ideas under their clusters' names, those in none last; empty ones are left out."""
    names = [(cluster.id, cluster.name) for cluster in board.clusters]
    grouped = [
        (name, [idea for idea in board.ideas if idea.cluster_id == cluster])
        for cluster, name in [*names, (None, NO_CLUSTER)]
    ]
    return [(name, ideas) for name, ideas in grouped if ideas]


def to_markdown(board: Board) -> str:
    """Headings by cluster, the ideas as a list with votes, status and tags."""
    lines = [f"# {_escaped(board.session.topic)}", ""]
    if board.session.description:
        lines += [_escaped(board.session.description), ""]
    for name, ideas in by_cluster(board):
        lines += [f"## {_escaped(name)}", ""]
        for idea in ideas:
            facts = [idea.status, f"{idea.priority} priority", f"{idea.votes} votes"]
            facts += [_escaped(f"#{tag}") for tag in idea.tags]
            lines.append(f"- {_escaped(idea.text)} — {_escaped(idea.author)} ({', '.join(facts)})")
        lines.append("")
    return "\n".join(lines)


def to_json(board: Board) -> str:
    """The board as the API shows it."""
    return msgspec.json.format(msgspec.json.encode(board), indent=2).decode()


def to_csv(board: Board) -> str:
    """A row for each idea; no cell is a formula to a spreadsheet."""
    names: dict[UUID | None, str] = {one.id: one.name for one in board.clusters}
    file = io.StringIO()
    # Quoted, so that no other separator of a spreadsheet's (a semicolon, say) begins a cell.
    file.write("idea,cluster,status,priority,votes,tags,author,created\r\n")
    rows = csv.writer(file, quoting=csv.QUOTE_NONNUMERIC)
    for idea in board.ideas:
        cluster = names.get(idea.cluster_id, "")
        texts = [idea.text, cluster, idea.status, idea.priority]
        more = [", ".join(idea.tags), idea.author, idea.created_at.isoformat()]
        rows.writerow([*map(_cell, texts), idea.votes, *map(_cell, more)])
    return file.getvalue()


def to_mermaid(board: Board) -> str:
    """A mind map: the topic, its clusters, their ideas. Signs that Mermaid reads are left out."""
    lines = ["mindmap", f'  root(("{_plain(board.session.topic)}"))']
    for place, (name, ideas) in enumerate(by_cluster(board)):
        lines.append(f'    c{place}["{_plain(name)}"]')
        lines += [f'      i{place}x{n}["{_plain(idea.text)}"]' for n, idea in enumerate(ideas)]
    return "\n".join(lines) + "\n"


def to_slides(board: Board) -> str:
    """A page of its own that shows and prints a slide at a time; nothing in it runs or loads."""
    session = board.session
    parts = [
        f"<section><h1>{escape(session.topic)}</h1><p>{escape(session.description)}</p></section>"
    ]
    for title, ideas in slides(board):
        items = [
            f"<li>{escape(idea.text)} <small>{escape(idea.author)}, {idea.votes} votes, "
            f"{idea.status}</small></li>"
            for idea in ideas
        ]
        parts.append(f"<section><h2>{escape(title)}</h2><ol>{''.join(items)}</ol></section>")
    return _PAGE.format(title=escape(session.topic), style=_STYLE, body="\n".join(parts))


_STYLE = (
    "body{font:20px/1.5 system-ui,sans-serif;margin:0}"
    "section{box-sizing:border-box;min-height:100vh;padding:8vh 8vw;break-after:page}"
    "li{margin:0 0 .6em;overflow-wrap:anywhere;white-space:pre-line}small{color:#555;display:block}"
)
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="content-security-policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title><style>{style}</style></head>
<body>
{body}
</body></html>
"""


FORMATS: Mapping[Format, tuple[Callable[[Board], str], str, str]] = {
    "markdown": (to_markdown, "text/markdown", "md"),
    "json": (to_json, "application/json", "json"),
    "csv": (to_csv, "text/csv", "csv"),
    "mermaid": (to_mermaid, "text/plain", "mmd"),
    "slides": (to_slides, "text/html", "html"),
}


def slides(board: Board, most: int = 6) -> list[tuple[str, Sequence[Idea]]]:
    """Slides of at most so many ideas: each cluster's, those with the most votes first."""
    made: list[tuple[str, Sequence[Idea]]] = []
    for name, ideas in by_cluster(board):
        best = sorted(ideas, key=lambda idea: -idea.votes)
        made += [(name, best[at : at + most]) for at in range(0, len(best), most)]
    return made


def _escaped(text: str) -> str:
    line = _MARKS.sub(r"\\\1", " ".join(text.split()))
    # Nor does it begin a list or a line across the page.
    return _LIST.sub(r"\1\\\2", line)


def _cell(text: str) -> str:
    # What a spreadsheet would run is shown with an apostrophe before it (OWASP, CSV injection).
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text


def _plain(text: str) -> str:
    return " ".join(_NOT_PLAIN.sub(" ", text).split())[:200] or "…"


def _file_name(board: Board) -> str:
    words = re.findall(r"[a-z0-9]+", board.session.topic.lower())
    return "-".join(words)[:60].strip("-") or "brainstorm"
