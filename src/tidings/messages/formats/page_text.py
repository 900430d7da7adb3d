"""The text of an HTML mail, read in one pass whatever its size: no pattern looks far ahead."""

import html
import re

LONGEST_PAGE = 2_000_000
"""Characters that are read; a message keeps a tenth of that."""

_TAG = re.compile(r"<!--|<(/?)([a-zA-Z][a-zA-Z0-9]*)[^<>]*>")
_HIDDEN = frozenset(("script", "style", "head", "title", "template"))
_PARAGRAPHS = frozenset("p h1 h2 h3 h4 h5 h6 ul ol table blockquote pre hr dl".split())
_LINES = frozenset("div tr li br section article header footer address dt dd".split())


def page_text(page: str) -> str:
    """What a reader sees of it; quoted passages get `> ` as in plain mail."""
    page = page[:LONGEST_PAGE]
    lines = _Lines()
    hidden, at = "", 0
    while (tag := _TAG.search(page, at)) is not None:
        if not hidden:
            lines.add(page[at : tag.start()])
        at = tag.end()
        if tag[2] is None:  # a comment
            end = page.find("-->", at)
            at = len(page) if end < 0 else end + 3
            continue
        hidden = _seen(lines, tag[2].lower(), is_end=bool(tag[1]), hidden=hidden)
    if not hidden:
        lines.add(page[at:])
    return lines.text()


def _seen(lines: "_Lines", name: str, *, is_end: bool, hidden: str) -> str:
    """Take one tag in; what hides everything from here on, else ""."""
    if hidden:
        is_over = (is_end and name == hidden) or (hidden in ("head", "title") and name == "body")
        return "" if is_over else hidden
    if name in _HIDDEN and not is_end:
        return name
    if name in _PARAGRAPHS:
        lines.paragraph()
    elif name in _LINES:
        lines.line(is_forced=name == "br")
    elif name in ("td", "th"):
        lines.add(" ")
    if name == "blockquote":
        lines.depth = max(0, lines.depth + (-1 if is_end else 1))
    elif name == "li" and not is_end:
        lines.add("- ")
    return ""


class _Lines:
    """Lines as they come to be: spaces count once, and of empty lines one."""

    def __init__(self) -> None:
        self.depth = 0
        self._lines: list[str] = []
        self._line: list[str] = []

    def add(self, text: str) -> None:
        if text:
            self._line.append(text)

    def line(self, *, is_forced: bool) -> None:
        said = " ".join(html.unescape("".join(self._line)).split())
        self._line.clear()
        if said or (is_forced and self._lines and self._lines[-1]):
            self._lines.append("> " * min(self.depth, 5) + said if said else "")

    def paragraph(self) -> None:
        self.line(is_forced=False)
        if self._lines and self._lines[-1]:
            self._lines.append("")

    def text(self) -> str:
        self.line(is_forced=False)
        return "\n".join(self._lines).strip()
