"""Sizes, names and doors that no linter holds: rules 1, 2, 5, 7 and 10 of the design."""

import ast
import statistics
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "tidings"
TESTS = ROOT / "tests"

MODULE_LINES, MEDIAN_LINES, FUNCTION_LINES, PUBLIC_METHODS = 400, 120, 50, 10
BANNED_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "managers", "misc"}

# Where there is no tenant: what these may do is a function of tidings_system (design.md, rule 1).
WITHOUT_TENANT = (
    "db", "tenancy", "realtime", "queue", "kv", "retention", "recall",
    "cli/doctor",  # an operator's look at the installation, at no tenant's rows
    "ai/sweep.py",  # the gateway's own sweep
    "intelligence/sweep.py",  # its sweep, and trends that follow from the time
    "approvals/due.py",  # the schedule looks at what is due of every organization
    "connectors/check_mailbox.py",  # the schedule looks for due mailboxes of every organization
    "approvals/unsubscribe.py",  # a link in mail says whose it is, before there is a tenant
    "brainstorm/sweep.py",  # answers that are over, of every organization
    "meetings/recalled.py",  # which organizations have new meetings, for a cache to begin with
    "meetings/hooks.py",  # a webhook's token says whose it is, before there is a tenant; its sweep
    "replies/sweep.py",  # the log of every organization forgets by age
    "brainstorm/sweep.py",  # stored answers of every organization forget by age
    "summaries/schedule.py",  # whose digest is due, of every organization
    "summaries/sweep.py",  # of every organization at once
    "messages/hooks.py",  # as that one
)  # fmt: skip

# Whoever asks the system what time it is cannot be tested at another time.
CLOCK = {
    ("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"), ("date", "today"),
    ("time", "time"), ("time", "time_ns"), ("time", "localtime"), ("time", "gmtime"),
}  # fmt: skip
MAY_ASK_THE_TIME = ("base/clock.py", "base/ids.py")

Finding = Iterator[str]


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def modules(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob("*.py") if "__pycache__" not in path.parts)


def is_public(name: str) -> bool:
    return not name.startswith("_")


def long_functions(tree: ast.Module) -> Finding:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or 0) - node.lineno + 1
            if lines > FUNCTION_LINES:
                yield f"{node.name} has {lines} lines"


def wide_classes(tree: ast.Module) -> Finding:
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            names = {
                item.name
                for item in node.body
                if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef) and is_public(item.name)
            }
            if len(names) > PUBLIC_METHODS:
                yield f"{node.name} has {len(names)} public methods"


def hidden_imports(tree: ast.Module) -> Finding:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for inner in ast.walk(node):
                if isinstance(inner, ast.Import | ast.ImportFrom):
                    yield f"{node.name} imports inside, line {inner.lineno}"


def missing_docstrings(tree: ast.Module) -> Finding:
    if not tree.body:
        return
    if ast.get_docstring(tree) is None:
        yield "the module has no docstring"
    owners: list[ast.Module | ast.ClassDef] = [tree]
    while owners:
        for node in owners.pop().body:
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                continue
            if not is_public(node.name) or _is_overload(node) or _is_stub(node):
                continue
            if ast.get_docstring(node) is None:
                yield f"{node.name} has no docstring, line {node.lineno}"
            if isinstance(node, ast.ClassDef):
                owners.append(node)


def _is_overload(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> bool:
    return any(isinstance(d, ast.Name) and d.id == "overload" for d in node.decorator_list)


def _is_stub(node: ast.AST) -> bool:
    """A shape that others fill: `...` is all it says."""
    body = getattr(node, "body", [])
    return len(body) == 1 and getattr(getattr(body[0], "value", None), "value", None) is ...


def clock_reads(tree: ast.Module) -> Finding:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            owner = node.value
            name = owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", "")
            if (name, node.attr) in CLOCK:
                yield f"{name}.{node.attr}, line {node.lineno}"
        if isinstance(node, ast.ImportFrom) and node.module == "time":
            for alias in node.names:
                if ("time", alias.name) in CLOCK:
                    yield f"from time import {alias.name}, line {node.lineno}"


def imported(tree: ast.Module) -> set[str]:
    """The top-level packages that a module imports."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


def system_doors(tree: ast.Module) -> Finding:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in ("system_transaction", "system_batch"):
            yield f"{node.attr}, line {node.lineno}"


def raw_queries(tree: ast.Module) -> Finding:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Query":
            yield f"Query(…) made by hand, line {node.lineno}"


def waits(tree: ast.Module) -> Finding:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        owner, name = node.func.value, node.func.attr
        if (
            isinstance(owner, ast.Name)
            and owner.id in ("asyncio", "time", "anyio")
            and name == "sleep"
        ):
            first = node.args[0] if node.args else None
            if not (isinstance(first, ast.Constant) and first.value == 0):
                yield f"{owner.id}.sleep, line {node.lineno}"


def silent_skips(tree: ast.Module) -> Finding:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in ("skip", "skipif", "xfail"):
            call = next(
                (c for c in ast.walk(tree) if isinstance(c, ast.Call) and c.func is node), None
            )
            has_reason = call is not None and (
                any(k.arg == "reason" for k in call.keywords)
                or (node.attr == "skip" and bool(call.args))
            )
            if not has_reason:
                yield f"{node.attr} without a reason, line {node.lineno}"


def findings(root: Path, check: Callable[[ast.Module], Finding]) -> dict[str, list[str]]:
    """What a check finds, by module."""
    found = {str(path.relative_to(root)): list(check(parse(path))) for path in modules(root)}
    return {path: lines for path, lines in found.items() if lines}


def within(found: dict[str, list[str]], places: tuple[str, ...]) -> dict[str, list[str]]:
    """Findings outside the places where they are right."""
    return {
        path: lines
        for path, lines in found.items()
        if not any(path == place or path.startswith(f"{place}/") for place in places)
    }


def test_modules_are_small() -> None:
    sizes = {
        str(path.relative_to(SOURCE)): len(path.read_text(encoding="utf-8").splitlines())
        for path in modules(SOURCE)
    }
    assert {path: size for path, size in sizes.items() if size > MODULE_LINES} == {}
    assert statistics.median(size for size in sizes.values() if size) <= MEDIAN_LINES


@pytest.mark.parametrize(
    "check",
    [long_functions, wide_classes, hidden_imports, missing_docstrings],
    ids=lambda check: check.__name__,
)
def test_the_code_keeps(check: Callable[[ast.Module], Finding]) -> None:
    # alembic's two hooks are the same in every revision.
    assert within(findings(SOURCE, check), ("db/migrations/versions",)) == {}


def test_no_module_is_named_for_nothing() -> None:
    bad = [
        str(path.relative_to(SOURCE))
        for path in modules(SOURCE)
        if {path.stem, *path.relative_to(SOURCE).parent.parts} & BANNED_NAMES
        or path.stem.startswith("base_")
    ]
    assert bad == []


def test_the_time_is_asked_in_one_place() -> None:
    assert within(findings(SOURCE, clock_reads), MAY_ASK_THE_TIME) == {}


def test_only_db_and_tenancy_know_the_driver() -> None:
    found = findings(SOURCE, lambda tree: iter({"psycopg", "psycopg_pool"} & imported(tree)))
    assert within(found, ("db", "tenancy")) == {}


def test_the_doors_without_a_tenant_are_for_a_few() -> None:
    assert within(findings(SOURCE, system_doors), WITHOUT_TENANT) == {}


def test_queries_are_written_in_queries_sql() -> None:
    assert within(findings(SOURCE, raw_queries), ("db",)) == {}


def test_tests_do_not_wait_for_the_clock() -> None:
    assert findings(TESTS, waits) == {}


def test_a_skipped_test_says_why() -> None:
    assert findings(TESTS, silent_skips) == {}


@pytest.mark.parametrize(
    ("check", "text"),
    [
        (long_functions, "def f():\n" + "    x = 1\n" * 50),
        (wide_classes, "class C:\n" + "".join(f"    def m{i}(self): ...\n" for i in range(11))),
        (hidden_imports, "def f():\n    import os\n"),
        (missing_docstrings, "'''Doc.'''\ndef f():\n    return 1\n"),
        (missing_docstrings, "'''Doc.'''\nclass C:\n    '''Doc.'''\n    def f(self): return 1\n"),
        (missing_docstrings, "x = 1\n"),
        (clock_reads, "import datetime\ndatetime.datetime.now()\n"),
        (clock_reads, "from time import time\n"),
        (system_doors, "async def f(db):\n    async with db.system_batch() as b: ...\n"),
        (raw_queries, "q = Query('x', 'X.', 'SELECT 1')\n"),
        (waits, "import asyncio\nasync def f(): await asyncio.sleep(0.1)\n"),
        (silent_skips, "import pytest\n@pytest.mark.skip\ndef test_x(): ...\n"),
        (silent_skips, "import pytest\n@pytest.mark.skipif(True)\ndef test_x(): ...\n"),
    ],
)
def test_each_check_notices(check: Callable[[ast.Module], Finding], text: str) -> None:
    assert list(check(ast.parse(text)))


def test_the_checks_leave_good_code_alone() -> None:
    good = ast.parse(
        "'''Doc.'''\nimport time\n\ndef f():\n    '''Doc.'''\n    return time.monotonic()\n"
    )
    for check in (long_functions, wide_classes, hidden_imports, missing_docstrings, clock_reads):
        assert list(check(good)) == []
    assert imported(ast.parse("import psycopg.rows\nfrom os import path")) == {"psycopg", "os"}
