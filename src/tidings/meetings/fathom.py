"""Fathom's external API (v1): the meetings with some domains, page by page."""

import asyncio
import email.utils
import random
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, NoReturn, Self

import httpx
import msgspec

from tidings.base import clock
from tidings.base.authorities import authorities
from tidings.base.errors import InputInvalid, SourceUnavailable, SourceUnconfigured
from tidings.meetings.item import MeetingItem, decode_item

BASE_URL = "https://api.fathom.ai/external/v1"
CALLS_PER_MINUTE = 60
ATTEMPTS = 5  # of one call, the first included
LONGEST_WAIT = 120.0  # seconds: a longer RateLimit-Reset ends the sync, the next one continues
CALL_DEADLINE = 60.0  # seconds for one answer, whatever the pace of its bytes
FIRST_BACKOFF = 0.5  # seconds, doubled with each attempt

Sleep = Callable[[float], Awaitable[object]]


class ItemProblem(msgspec.Struct, frozen=True):
    """An item that is not a meeting: where it stood over all pages, and what is wrong with it."""

    index: int
    external_id: str | None
    detail: str


class FathomClient:
    """Reads one account's meetings; every call of one key counts against one minute's limit."""

    def __init__(
        self,
        api_key: str,
        base_url: str = BASE_URL,
        http: httpx.AsyncClient | None = None,
        *,
        now: Callable[[], datetime] = clock.now,
        sleep: Sleep = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
        deadline: float = CALL_DEADLINE,
        limit: "CallLimit | None" = None,
    ) -> None:
        """`deadline` is in seconds per call; `now`, `sleep` and `jitter` are a test's to replace.

        Clients with the same key share one `limit`.

        Raises `SourceUnconfigured` without a key, or with one that no HTTP header can carry.
        """
        self._key = api_key.strip()
        if not self._key:
            raise SourceUnconfigured("FATHOM_API_KEY not configured")
        if not self._key.isascii() or not self._key.isprintable():
            raise SourceUnconfigured(
                "FATHOM_API_KEY holds characters that no key has; set it anew."
            )
        self._url = f"{base_url.rstrip('/')}/meetings"
        self._own_http = http is None
        self._http = http or httpx.AsyncClient(
            timeout=httpx.Timeout(deadline, connect=10.0), verify=authorities()
        )
        self._limit = limit or CallLimit(now, sleep)
        self._now, self._sleep, self._jitter, self._deadline = now, sleep, jitter, deadline

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections, unless they were handed in."""
        if self._own_http:
            await self._http.aclose()

    async def meetings(
        self, domains: Sequence[str], created_after: datetime | None = None
    ) -> AsyncIterator[MeetingItem | ItemProblem]:
        """Every meeting with an invitee of one of `domains` (of any, when empty), all pages.

        `created_after` is aware. A bad item comes as an `ItemProblem` in its place.
        Raises `SourceUnavailable` when Fathom does not answer as agreed.
        """
        cursor: str | None = None
        seen: set[str] = set()
        index = 0
        while True:
            items, cursor = await self._page(_query(domains, created_after, cursor))
            for raw in items:
                yield _meeting(index, raw)
                index += 1
            if cursor is None:
                return
            if cursor in seen:
                raise SourceUnavailable("Fathom handed out the same page cursor twice.")
            seen.add(cursor)

    async def _page(self, query: httpx.QueryParams) -> tuple[list[Any], str | None]:
        answer = await self._call(query)
        try:
            page = msgspec.json.decode(answer.content, type=_Page)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise SourceUnavailable(
                "Fathom answered with something that is not a page of meetings."
            ) from None
        return page.items, page.next_cursor or None

    async def _call(self, query: httpx.QueryParams) -> httpx.Response:
        """One answered call; waits out 429, repeats 5xx and broken connections a few times."""
        problem = ""
        for attempt in range(ATTEMPTS):
            await self._limit.take()
            try:
                async with asyncio.timeout(self._deadline):
                    answer = await self._http.get(
                        self._url, params=query, headers={"X-Api-Key": self._key}
                    )
            except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
                problem = f"Fathom cannot be reached ({type(error).__name__})."
            else:
                if answer.is_success:
                    if answer.headers.get("RateLimit-Remaining", "").strip() == "0":
                        self._limit.pause(self._reset(answer) or 0)
                    return answer
                problem = f"Fathom answered with status {answer.status_code}."
                if answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
                    self._wait_for_window(answer, attempt)
                    continue
                if answer.status_code < 500:
                    _refuse(answer.status_code)
            if attempt + 1 < ATTEMPTS:
                await self._sleep(self._backoff(attempt))
        raise SourceUnavailable(f"{problem[:-1]} after {ATTEMPTS} attempts.")

    def _wait_for_window(self, answer: httpx.Response, attempt: int) -> None:
        wait = self._reset(answer)
        if wait is None:
            wait = self._backoff(attempt)
        if wait > LONGEST_WAIT:
            raise SourceUnavailable(
                f"Fathom's rate limit is used up for {wait:.0f} seconds.", retry_after=wait
            )
        self._limit.pause(wait)

    def _reset(self, answer: httpx.Response) -> float | None:
        """Seconds until the window reopens: Retry-After (seconds or date), else RateLimit-Reset."""
        for name in ("Retry-After", "RateLimit-Reset"):
            value = answer.headers.get(name, "").strip()
            if value.isascii() and value.isdigit() and len(value) < 10:
                return float(value)
            try:
                until = email.utils.parsedate_to_datetime(value)
            except ValueError:
                continue
            zoned = until if until.tzinfo else until.replace(tzinfo=UTC)
            return max(0.0, (zoned - self._now()).total_seconds())
        return None

    def _backoff(self, attempt: int) -> float:
        step: float = FIRST_BACKOFF * 2**attempt
        return step * (0.5 + self._jitter() / 2)


class _Page(msgspec.Struct):
    items: list[Any]
    next_cursor: str | None = None


class CallLimit:
    """At most `CALLS_PER_MINUTE` in any 60 seconds, and none before a pause is over."""

    def __init__(
        self, now: Callable[[], datetime] = clock.now, sleep: Sleep = asyncio.sleep
    ) -> None:
        """Nothing was called yet."""
        self._now, self._sleep = now, sleep
        self._taken: deque[float] = deque(maxlen=CALLS_PER_MINUTE)
        self._paused_until = 0.0
        self._turn = asyncio.Lock()

    async def take(self) -> None:
        """Return when the next call may start, and count it."""
        async with self._turn:
            while (wait := self._wait()) > 0:
                await self._sleep(wait)
            self._taken.append(self._now().timestamp())

    def pause(self, wait: float) -> None:
        """Let no call start for `wait` seconds."""
        self._paused_until = max(self._paused_until, self._now().timestamp() + wait)

    def _wait(self) -> float:
        at = self._now().timestamp()
        full = len(self._taken) == CALLS_PER_MINUTE
        # A clock set back must not hold calls longer than the window itself.
        window = min(60.0, self._taken[0] + 60 - at) if full else 0.0
        return max(window, min(LONGEST_WAIT, self._paused_until - at))


def _query(
    domains: Sequence[str], created_after: datetime | None, cursor: str | None
) -> httpx.QueryParams:
    query: list[tuple[str, str | int | float | bool | None]]
    query = [("calendar_invitees_domains[]", domain) for domain in domains]
    if created_after is not None:
        query.append(
            ("created_after", created_after.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
        )
    query += [(f"include_{part}", "true") for part in ("transcript", "summary", "action_items")]
    if cursor is not None:
        query.append(("cursor", cursor))
    return httpx.QueryParams(query)


def _meeting(index: int, raw: object) -> MeetingItem | ItemProblem:
    try:
        return decode_item(raw)
    except InputInvalid as error:
        given = raw.get("recording_id") if isinstance(raw, dict) else None
        known = str(given) if type(given) is int and 0 <= given < 2**63 else None
        return ItemProblem(index, known, error.message)


def _refuse(status: int) -> NoReturn:
    if status in {401, 403}:
        raise SourceUnconfigured(
            f"Fathom refused the API key (status {status}); set a valid FATHOM_API_KEY."
        )
    raise SourceUnavailable(f"Fathom refused the request with status {status}.")
