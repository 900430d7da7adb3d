"""Structured logs on standard error: ours and the libraries', one line each."""

import logging
import sys
from contextvars import ContextVar
from typing import Protocol
from uuid import UUID

import structlog

from tidings.base.settings import Settings


class Work(Protocol):
    """What a worker does now, named in every line it logs meanwhile."""

    @property
    def organization_id(self) -> UUID:
        """Whose it is."""

    @property
    def id(self) -> UUID:
        """The job."""

    @property
    def kind(self) -> str:
        """Its kind."""


work_in_hand: ContextVar[Work] = ContextVar("work_in_hand")


def _name_work(
    _logger: object, _method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    # Looked up when something is logged: most jobs log nothing.
    work = work_in_hand.get(None)
    if work is not None:
        event.setdefault("organization_id", str(work.organization_id))
        event.setdefault("job_id", str(work.id))
        event.setdefault("kind", work.kind)
    return event


def _drop_colour(
    _logger: object, _method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    # uvicorn's second copy of its message, with control characters for a terminal.
    event.pop("color_message", None)
    return event


_SHARED: list[structlog.typing.Processor] = [
    structlog.contextvars.merge_contextvars,
    _name_work,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.ExtraAdder(),
    _drop_colour,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def configure_logs(settings: Settings) -> None:
    """Send every log to standard error as text or JSON, as the settings say."""
    renderer: structlog.typing.Processor
    if settings.log_format == "json":
        renderer = structlog.processors.JSONRenderer()
        ending: list[structlog.typing.Processor] = [structlog.processors.format_exc_info]
    else:
        renderer = structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(),
            # The richer one prints local variables: thousands of lines, and people's words.
            exception_formatter=structlog.dev.plain_traceback,
        )
        ending = []
    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_SHARED,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *ending,
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level.upper())
    # These say per call what our own lines say per request or job.
    for name in ("httpx", "httpcore", "openai", "anthropic", "alembic", "psycopg.pool"):
        logging.getLogger(name).setLevel(logging.WARNING)
