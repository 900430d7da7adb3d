"""What must not be in the repository: registries, paths of a machine, unpinned locks."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOT_OURS = {
    ".git", ".venv", "node_modules", "dist", "build", ".hypothesis", ".mypy_cache",
    ".pytest_cache", ".ruff_cache", "__pycache__", "vendor", "htmlcov",
}  # fmt: skip

# Spelt with brackets, so that this file is not its own finding.
FORBIDDEN = {
    "a path of somebody's machine": re.compile(r"(?<![\w.~-])/(?:[w]ork|[r]oot)/[\w.]"),
    "the address of a package registry": re.compile(
        r"pypi[.]org|pythonhosted[.]org|registry[.]npmjs|npmmirror[.]|/[s]imple/"
    ),
    "an index option": re.compile(
        r"--[i]ndex-url|--extra-[i]ndex-url|--[t]rusted-host|--[f]ind-links"
    ),
}
LOCKS = sorted((ROOT / "requirements").glob("*.lock"))


def ours() -> Iterator[Path]:
    """Every text file that is tracked, or would be."""
    for path in _listed():
        if path.is_file() and not NOT_OURS & set(path.relative_to(ROOT).parts):
            try:
                path.read_text(encoding="utf-8")
            except (UnicodeDecodeError, FileNotFoundError):  # another test's, gone again
                continue
            yield path


def _listed() -> list[Path]:
    git = shutil.which("git")
    if git and (ROOT / ".git").exists():
        done = subprocess.run(
            [git, "-c", f"safe.directory={ROOT}", "ls-files", "-z", "--cached", "--others",
             "--exclude-standard"],
            cwd=ROOT, capture_output=True, check=False,
        )  # fmt: skip
        if done.returncode == 0:
            return [ROOT / name.decode() for name in done.stdout.split(b"\0") if name]
    return sorted(ROOT.rglob("*"))


def problems(text: str) -> list[str]:
    """What of the forbidden a text holds, line by line."""
    return [
        f"{number}: {what}"
        for number, line in enumerate(text.splitlines(), 1)
        for what, pattern in FORBIDDEN.items()
        if pattern.search(line)
    ]


def test_no_file_names_a_registry_or_a_machine() -> None:
    found = {
        str(path.relative_to(ROOT)): lines
        for path in ours()
        if (lines := problems(path.read_text(encoding="utf-8")))
    }
    assert found == {}


@pytest.mark.parametrize(
    "text",
    [
        "see /w*rk/main/README",
        'HOME = "/r*ot/.cache"',
        "https://files.pythonh*sted.org/packages/x",
        '"resolved": "https://registry.npmj*s.org/x"',
        "pip install --ind*x-url https://example.com x",
    ],
)
def test_each_forbidden_thing_is_found(text: str) -> None:
    assert problems(text) == []
    letter = {"w*rk": "o", "r*ot": "o", "h*sted": "o", "npmj*s": "", "ind*x": "e"}
    (missing,) = [found for part, found in letter.items() if part in text]
    assert len(problems(text.replace("*", missing))) == 1


def test_files_are_listed() -> None:
    assert {ROOT / "README.md", ROOT / "pyproject.toml", Path(__file__)} <= set(ours())


def unpinned(lock: str) -> list[str]:
    """Requirements of a lock without an exact version or without a hash."""
    entries = re.split(r"\n(?=[A-Za-z0-9])", "\n".join(
        line for line in lock.splitlines() if not line.lstrip().startswith("#")
    ))  # fmt: skip
    return [
        entry.split("\n")[0]
        for entry in entries
        if entry.strip() and ("==" not in entry.split("\n")[0] or "--hash=sha256:" not in entry)
    ]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_lock_has_versions_and_hashes_and_no_address(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    assert unpinned(text) == []
    assert "://" not in text


def test_an_unpinned_requirement_is_found() -> None:
    assert unpinned("a==1 \\\n    --hash=sha256:00\nb==2\n") == ["b==2"]
    assert unpinned("a>=1 \\\n    --hash=sha256:00\n") == ["a>=1 \\"]


def test_there_are_locks() -> None:
    assert {lock.name for lock in LOCKS} >= {"run.lock", "dev.lock", "build.lock"}


def test_the_npm_lock_has_hashes_and_no_address() -> None:
    packages = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    for name, package in packages.items():
        assert "resolved" not in package, name
        assert name == "" or package["integrity"].startswith("sha512-"), name


def test_npm_versions_are_exact() -> None:
    wanted = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))
    for group in ("dependencies", "devDependencies"):
        for name, version in wanted.get(group, {}).items():
            assert re.fullmatch(r"\d+\.\d+\.\d+", version), f"{name}: {version}"
