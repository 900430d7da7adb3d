"""Logs: one line each, with what they are about, and nothing meant for another terminal."""

import json
import logging
from collections.abc import Iterator
from uuid import UUID

import msgspec
import pytest

from tidings.base.ids import uuid7
from tidings.base.logs import configure_logs, work_in_hand
from tidings.base.settings import Settings


class Job(msgspec.Struct, frozen=True):
    organization_id: UUID
    id: UUID
    kind: str = "engagement"


@pytest.fixture(autouse=True)
def kept_logs() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_a_line_says_what_it_is_about(log_format: str, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(Settings(log_format=log_format, _env_file=None))  # type: ignore[call-arg]
    job = Job(uuid7(), uuid7())
    token = work_in_hand.set(job)
    extra = {"color_message": "\x1b[36mhello\x1b[0m", "request_id": "r-1"}
    logging.getLogger("uvicorn.error").info("hello", extra=extra)
    work_in_hand.reset(token)
    (line,) = capsys.readouterr().err.splitlines()
    assert "color_message" not in line
    assert "\x1b" not in line
    for part in (str(job.id), str(job.organization_id), "engagement", "r-1", "hello"):
        assert part in line
    if log_format == "json":
        assert json.loads(line)["job_id"] == str(job.id)


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_a_traceback_holds_no_local_variables(
    log_format: str, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logs(Settings(log_format=log_format, _env_file=None))  # type: ignore[call-arg]
    _fail("what somebody wrote", "here")
    written = capsys.readouterr().err
    assert "StopIteration" in written
    assert "what somebody wrote here" not in written


def _fail(*parts: str) -> None:
    words = " ".join(parts)
    try:
        next(iter(words[:0]))
    except StopIteration:
        logging.getLogger("tidings").exception("broken")
