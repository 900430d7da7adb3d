"""Texts in the repository that must say what the code says: where each is and who writes it.

`python tests/contract/listings.py` (make listings) writes them all anew from a fresh migration;
review the difference like code.
"""

import asyncio
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import psycopg

ROOT = Path(__file__).resolve().parents[2]
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT / "tests"))

from contract.reach import render_reach  # noqa: E402 - after the path above
from contract.reference import render_env, render_errors, render_settings  # noqa: E402
from tidings.db.embedded import EmbeddedServer  # noqa: E402
from tidings.db.migrate import migrate_up  # noqa: E402
from tidings.db.verify import read_catalog, render_catalog  # noqa: E402

OF_THE_SCHEMA: dict[str, Callable[[psycopg.Connection], str]] = {
    "src/tidings/db/migrations/catalog.txt": lambda c: render_catalog(read_catalog(c)),
    "tests/contract/reach.txt": render_reach,
}

OF_THE_CODE: dict[str, Callable[[], str]] = {
    "docs/reference/settings.md": render_settings,
    "docs/reference/errors.md": render_errors,
    ".env.example": render_env,
}


async def write() -> None:
    """Write every listing from a throwaway server."""
    with tempfile.TemporaryDirectory() as home:
        server = EmbeddedServer(Path(home), throwaway=True)
        cluster = await server.start()
        try:
            url = cluster.url(cluster.superuser, cluster.superuser_password, "postgres")
            await asyncio.to_thread(migrate_up, url)
            with psycopg.connect(url) as connection:
                texts = {path: render(connection) for path, render in OF_THE_SCHEMA.items()}
        finally:
            await server.destroy()
    for path, text in {**texts, **{path: render() for path, render in OF_THE_CODE.items()}}.items():
        (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / path).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(write())
