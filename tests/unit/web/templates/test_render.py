"""Every page in every state: strict, escaped, and sound HTML for everyone."""

from collections import Counter
from functools import cache
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jinja2
import pytest

import tidings.web
from unit.web.templates.contexts import PAGES, PRESENT, PRESENTATION, presented, run

WEB = Path(tidings.web.__file__).parent
TEMPLATES = WEB / "templates"
HOSTILE = "<script>alert('x')</script>\"&"
#: Values that the code chose, not people: they steer the page and are left as they are.
CHOSEN = {
    "theme",
    "kind",
    "status",
    "stage",
    "mode",
    "words",
    "failure",
    "key",
    "list",
    "role",
    "id",
    "engine",
    "summary_status",
    "run_id",
    "segment_id",
    "meeting_id",
    "line_key",
    "source",
    "days",
    "cost_usd",
}
VOID = {
    "area",
    "base",
    "br",
    "col",
    "embed",
    "hr",
    "img",
    "input",
    "link",
    "meta",
    "source",
    "track",
    "wbr",
    "rect",
    "path",
}
CONTROLS = {"input", "select", "textarea"}


@pytest.fixture(scope="module")
def environment() -> jinja2.Environment:
    """Templates as the web floor loads them, and strict."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        auto_reload=False,
    )


@cache
def render(environment: jinja2.Environment, state: str) -> str:
    name, context = PAGES[state]
    return environment.get_template(name).render(context)


class Page(HTMLParser):
    """What the checks ask about a page: its elements, their attributes and how they nest."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.nesting: list[tuple[str, str | None]] = []
        self.words: dict[int, str] = {}
        self.forms: list[dict[str, Any]] = []
        self._open: list[tuple[str, int]] = []
        self.feed(html)
        self.close()
        assert not self._open, f"never closed: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"<{tag}> says an attribute twice: {names}"
        given = {name: value or "" for name, value in attrs}
        self.nesting.append((tag, self._open[-1][0] if self._open else None))
        self.elements.append((tag, given))
        if tag == "form":
            self.forms.append(
                {
                    "method": given.get("method", "get"),
                    "action": given.get("action", ""),
                    "fields": [],
                }
            )
        if tag == "input" and any(name == "form" for name, _ in self._open):
            self.forms[-1]["fields"].append(given.get("name"))
        if tag not in VOID:
            self._open.append((tag, len(self.elements) - 1))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.nesting.append((tag, self._open[-1][0] if self._open else None))
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        assert self._open, f"</{tag}> closes nothing"
        name, _ = self._open.pop()
        assert name == tag, f"</{tag}> closes <{name}>"

    def handle_data(self, data: str) -> None:
        for _, index in self._open:
            self.words[index] = self.words.get(index, "") + data

    def every(self, *tags: str) -> list[dict[str, str]]:
        """The attributes of every element with one of these tags."""
        return [attrs for tag, attrs in self.elements if tag in tags]

    def text_of(self, tag: str) -> list[str]:
        """The words inside each element of that tag."""
        return [
            self.words.get(at, "").strip()
            for at, (name, _) in enumerate(self.elements)
            if name == tag
        ]


@cache
def page_of(environment: jinja2.Environment, state: str) -> Page:
    """Read once for all the checks, which only look at it."""
    return Page(render(environment, state))


def test_every_page_template_has_a_context_here() -> None:
    pages = {
        str(path.relative_to(TEMPLATES))
        for path in TEMPLATES.glob("*/*.html")
        if path.parent.name != "macros" and not path.name.startswith("_")
    }
    assert pages == {name for name, _ in PAGES.values()}
    assert all((TEMPLATES / page).read_text("utf-8").startswith("{#-") for page in pages)


@pytest.mark.parametrize("state", PAGES)
def test_page_is_sound(environment: jinja2.Environment, state: str) -> None:
    page = page_of(environment, state)
    ids = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
    repeated = [name for name, count in Counter(ids).items() if count > 1]
    assert not repeated
    for attrs in page.every("a"):
        if attrs.get("href", "").startswith("#"):
            assert attrs["href"][1:] in ids, attrs
    for _, attrs in page.elements:
        for name in ("aria-labelledby", "aria-describedby", "for", "list", "aria-controls"):
            assert set(attrs.get(name, "").split()) <= set(ids), attrs


@pytest.mark.parametrize("state", PAGES)
def test_every_form_that_writes_carries_the_token_once(
    environment: jinja2.Environment, state: str
) -> None:
    for form in page_of(environment, state).forms:
        assert form["method"] in {"get", "post", "dialog"}
        assert form["fields"].count("_csrf_token") == (form["method"] == "post"), form


@pytest.mark.parametrize("state", PAGES)
def test_every_control_has_a_name(environment: jinja2.Environment, state: str) -> None:
    page = page_of(environment, state)
    labelled = {attrs.get("for") for attrs in page.every("label")}
    for tag, attrs in page.elements:
        if tag in CONTROLS and attrs.get("type") != "hidden":
            in_label = attrs.get("type") == "checkbox"
            assert attrs.get("id") in labelled or "aria-label" in attrs or in_label, attrs
        if tag == "img":
            assert "alt" in attrs
    assert all(page.text_of("button"))
    assert all(page.text_of("a"))


@pytest.mark.parametrize("state", PAGES)
def test_headings_go_in_order(environment: jinja2.Environment, state: str) -> None:
    levels = [
        int(tag[1])
        for tag, _ in page_of(environment, state).elements
        if tag in {"h1", "h2", "h3", "h4"}
    ]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


@pytest.mark.parametrize("state", PAGES)
def test_nothing_is_inline(environment: jinja2.Environment, state: str) -> None:
    page = page_of(environment, state)
    for tag, attrs in page.elements:
        assert tag != "style"
        assert "style" not in attrs
        assert not [name for name in attrs if name.startswith(("on", "hx-on", "hx-vals"))]
        for name in ("src", "href", "action", "data"):
            assert not attrs.get(name, "").startswith(("javascript:", "data:", "//"))
        if tag == "script":
            assert attrs["src"].startswith("/static/")
    assert not any(page.text_of("script"))


@pytest.mark.parametrize("state", PAGES)
def test_no_block_stands_in_a_paragraph(environment: jinja2.Environment, state: str) -> None:
    blocks = {"p", "div", "ul", "ol", "details", "section", "form", "h2", "table", "figure"}
    page = page_of(environment, state)
    assert not [(tag, within) for tag, within in page.nesting if within == "p" and tag in blocks]


def poison(value: Any, name: str = "") -> Any:
    """The same context with hostile text wherever a person, a meeting or an engine "
    "could have written it."""
    if isinstance(value, dict):
        return {key: poison(item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [poison(item, name) for item in value]
    if isinstance(value, tuple):
        return tuple(poison(item, name) for item in value)
    return HOSTILE if isinstance(value, str) and value and name not in CHOSEN else value


@pytest.mark.parametrize("state", PAGES)
def test_hostile_text_stays_text(environment: jinja2.Environment, state: str) -> None:
    name, context = PAGES[state]
    html = environment.get_template(name).render(poison(context))
    assert "<script>alert" not in html
    page = Page(html)
    assert all("src" in attrs for attrs in page.every("script"))
    assert {tag for tag, _ in page.elements} >= {"html", "body", "main"}


def as_objects(value: Any, name: str = "") -> Any:
    """The same context as attributes instead of keys, as msgspec structs give them; "
    "open maps stay maps."""
    if isinstance(value, dict) and name not in {"errors", "fields", "redacted"}:
        return SimpleNamespace(**{key: as_objects(item, key) for key, item in value.items()})
    return [as_objects(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("state", PAGES)
def test_structs_render_as_maps_do(environment: jinja2.Environment, state: str) -> None:
    name, context = PAGES[state]
    objects = {key: as_objects(value, key) for key, value in context.items()}
    assert environment.get_template(name).render(objects) == render(environment, state)


@pytest.mark.parametrize("state", PAGES)
def test_assets_exist(environment: jinja2.Environment, state: str) -> None:
    for attrs in page_of(environment, state).every("link", "script"):
        path = (attrs.get("href") or attrs["src"]).split("?")[0].removeprefix("/static/")
        assert path.startswith("vendor/") or (WEB / "static" / path).is_file(), path


def test_admins_alone_see_kv(environment: jinja2.Environment) -> None:
    name, context = PAGES["home"]
    member = {**context, "user": {**context["user"], "is_admin": False, "may_write": True}}
    assert 'href="/kv"' in render(environment, "home")
    assert 'href="/kv"' not in environment.get_template(name).render(member)


@pytest.mark.parametrize(
    ("theme", "shown"), [("dark", True), ("light", True), ("auto", False), ("<b>", False)]
)
def test_palette_is_set_before_the_first_paint(
    environment: jinja2.Environment, theme: str, shown: bool
) -> None:
    html = environment.get_template(PRESENT).render(presented(theme=theme))
    assert (f'<html lang="en" data-theme="{theme}">' in html) is shown
    assert ("data-theme=" in html) is shown


@pytest.mark.parametrize(
    ("stage", "done", "total", "sentence", "share"),
    [
        ("", 0, 0, "Waiting for a worker to begin", 0),
        ("sync", 0, 0, "Fetching new meetings", 2),
        ("read", 3, 12, "Reading meeting 4 of 12", 31),
        ("read", 12, 12, "Reading meeting 12 of 12", 80),
        ("verify", 0, 9, "Checking 9 quotes against the transcripts", 90),
    ],
)
def test_progress_says_what_is_happening(
    environment: jinja2.Environment, stage: str, done: int, total: int, sentence: str, share: int
) -> None:
    html = environment.get_template(PRESENT).render(
        presented(run=run("processing", stage, done, total), summary=None)
    )
    page = Page(html)
    assert sentence in page.text_of("p")
    assert page.every("progress")[0]["value"] == str(share)
    assert page.every("section")[0]["data-wait"] == "60"


def test_hidden_lines_are_not_read_but_can_be_brought_back(environment: jinja2.Environment) -> None:
    assert "An aside about parking" not in render(environment, "summary")
    page = page_of(environment, "edit")
    hide = next(
        attrs for attrs in page.every("input") if attrs.get("name") == "hidden.challenges.2"
    )
    assert "checked" in hide
    assert "An aside about parking" in page.text_of("textarea")


def test_edited_lines_say_so(environment: jinja2.Environment) -> None:
    html = render(environment, "summary-edited")
    assert "edited by Ada Sorensen" in html
    assert "so let’s say we halve that by spring.</q>" in html
    assert "Undo" in html


def test_what_is_unverified_is_struck_out_and_folded(environment: jinja2.Environment) -> None:
    page = page_of(environment, "summary")
    assert page.text_of("s") == [line["text"] for line in PRESENTATION["summary"]["unverified"]]
    assert "2 lines could not be verified" in page.text_of("summary")


def test_every_marker_leads_to_a_source(environment: jinja2.Environment) -> None:
    page = page_of(environment, "summary")
    markers = [attrs for attrs in page.every("a") if "data-source" in attrs]
    assert len(markers) > 10
    there = {attrs["id"] for attrs in page.every("li") if "id" in attrs}
    for attrs in markers:
        numbers = attrs["data-source"].split()
        assert attrs["href"] == f"#source-{numbers[0]}"
        assert {f"source-{number}" for number in numbers} <= there


@pytest.mark.parametrize(
    ("cost", "shown"), [("0", "$0.00"), ("0.0042", "under $0.01"), ("1234.5", "$1,234.50")]
)
def test_cost_is_honest(environment: jinja2.Environment, cost: str, shown: str) -> None:
    summary = {**PRESENTATION["summary"], "cost_usd": cost}
    assert f"<span>{shown}</span>" in environment.get_template(PRESENT).render(
        presented(summary=summary)
    )


@pytest.mark.parametrize(("minutes", "shown"), [(59, "59 min"), (60, "1 h"), (125, "2 h 5 min")])
def test_length_reads_well(environment: jinja2.Environment, minutes: int, shown: str) -> None:
    name, context = PAGES["meeting"]
    html = environment.get_template(name).render(
        {**context, "meeting": {**context["meeting"], "minutes": minutes}}
    )
    assert f"<span>{shown}</span>" in html
