"""Slack's export: a zip or folder with users.json and, for each channel, a file for each day."""

import html
import re
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec

from tidings.base.errors import FileInvalid
from tidings.messages.formats.entry import Defaults, Entry, RowError, Said, make_entry
from tidings.messages.item import Attachment

LARGEST = 256 * 1024 * 1024
"""Bytes of one day's file."""

_SAID = (None, "bot_message", "me_message", "file_share", "thread_broadcast", "file_comment")
"""Subtypes of what somebody said; the others tell who came, went or renamed something."""
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}\.json")
_LINK = re.compile(r"<([^<>|]{1,2000})(?:\|([^<>]{0,2000}))?>")

_Read = Callable[[str], bytes]


class _User(msgspec.Struct, frozen=True):
    name: str
    email: str | None
    is_bot: bool = False


def read_slack(path: Path, defaults: Defaults) -> Iterator[Entry]:
    """What was said in all channels of the export, one day's file at a time.

    Raises `FileInvalid` for what is no export.
    """
    with _opened(path) as (names, read):
        users = _users(_decoded(path, "users.json", read) if "users.json" in names else [])
        days = sorted(name for name in names if _is_day(name))
        if not days:
            raise FileInvalid(f"{path.name}: has no file such as general/2026-11-21.json.")
        for name in days:
            try:
                said = _decoded(path, name, read)
            except FileInvalid as error:
                yield RowError(name, error.message)
                continue
            channel = PurePosixPath(name).parent.name
            for place, one in enumerate(said if isinstance(said, list) else [], 1):
                entry = _entry(f"{name} message {place}", channel, one, users, defaults)
                if entry is not None:
                    yield entry


def is_export(folder: Path) -> bool:
    """Whether a folder is an unpacked export: it lists the users, or has a day of a channel."""
    return (folder / "users.json").is_file() or any(
        _is_day(file.relative_to(folder).as_posix()) for file in folder.glob("*/*.json")
    )


def _entry(
    place: str, channel: str, raw: Any, users: dict[str, _User], defaults: Defaults
) -> Entry | None:
    if not isinstance(raw, dict) or raw.get("type", "message") != "message":
        return None
    if raw.get("subtype") not in _SAID:
        return None
    stamp = str(raw.get("ts", ""))
    try:
        at = datetime.fromtimestamp(float(stamp), UTC)
    except (ValueError, OverflowError, OSError):
        return RowError(place, "ts: is no time.")
    user = str(raw.get("user") or raw.get("bot_id") or raw.get("username") or "unknown")
    known = users.get(user) or _User(_name_in(raw) or user, None)
    thread = str(raw.get("thread_ts") or "")
    files = [one for one in raw.get("files") or [] if isinstance(one, dict)]
    is_bot = known.is_bot or raw.get("subtype") == "bot_message" or "bot_id" in raw
    said = Said(
        external_id=f"{channel}:{stamp}",
        sender_id=user,
        sender_name=known.name,
        sender_email=known.email,
        sent_at=at,
        body=plain(str(raw.get("text") or ""), users),
        thread_id=f"{channel}:{thread}" if thread else None,
        attachments=[
            Attachment(
                name=str(one.get("name") or "").replace("\0", "")[:500],
                media_type=str(one.get("mimetype") or "").replace("\0", "")[:200],
                bytes=size if isinstance(size := one.get("size"), int) and 0 <= size < 2**53 else 0,
            )
            for one in files
        ],
        headers={"Auto-Submitted": "auto-generated"} if is_bot else {},
    )
    return make_entry(place, said, defaults)


def _name_in(raw: dict[str, Any]) -> str:
    profile = raw.get("user_profile")
    named = profile.get("real_name") if isinstance(profile, dict) else None
    return str(named or raw.get("username") or "")


def plain(text: str, users: dict[str, _User]) -> str:
    """Slack's markup as people saw it: names for ids, labels for links."""

    def shown(found: re.Match[str]) -> str:
        target, label = found[1], found[2]
        if target.startswith("@"):
            user = users.get(target[1:])
            return f"@{label or (user.name if user else target[1:])}"
        if target.startswith(("#", "!")):
            return f"{target[0] if target[0] == '#' else '@'}{label or target[1:]}"
        return f"{label} ({target})" if label and label != target else target

    return html.unescape(_LINK.sub(shown, text))


def _users(raw: Any) -> dict[str, _User]:
    found: dict[str, _User] = {}
    for one in raw if isinstance(raw, list) else []:
        if not isinstance(one, dict):
            continue
        given = one.get("profile")
        profile: dict[str, Any] = given if isinstance(given, dict) else {}
        name = profile.get("display_name") or profile.get("real_name") or one.get("name")
        email = profile.get("email")
        found[str(one.get("id"))] = _User(
            str(name or ""), str(email) if email else None, one.get("is_bot") is True
        )
    return found


def _is_day(name: str) -> bool:
    path = PurePosixPath(name)
    return bool(_DAY.fullmatch(path.name)) and len(path.parts) >= 2


def _decoded(path: Path, name: str, read: _Read) -> Any:
    try:
        return msgspec.json.decode(read(name))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise FileInvalid(f"{path.name}: {name} is not valid JSON.") from None


@contextmanager
def _opened(path: Path) -> Iterator[tuple[set[str], _Read]]:
    """The names in the export, and how to read one; a zip within a folder of its own too."""
    if path.is_dir():
        names = {
            file.relative_to(path).as_posix(): file
            for pattern in ("*.json", "*/*.json")
            for file in path.glob(pattern)
        }
        yield (
            set(names),
            lambda name: _bounded(path, name, names[name].stat().st_size, names[name].read_bytes),
        )
        return
    try:
        archive = zipfile.ZipFile(path)
    except zipfile.BadZipFile:
        raise FileInvalid(f"{path.name}: is neither a folder nor a zip.") from None
    with archive:
        top = _top(archive.namelist())
        infos = {info.filename.removeprefix(top): info for info in archive.infolist()}

        def read(name: str) -> bytes:
            info = infos[name]
            try:
                return _bounded(path, name, info.file_size, lambda: archive.read(info))
            except (zipfile.BadZipFile, RuntimeError, NotImplementedError):
                raise FileInvalid(f"{path.name}: {name} cannot be unpacked.") from None

        yield set(infos), read


def _bounded(path: Path, name: str, size: int, read: Callable[[], bytes]) -> bytes:
    if size > LARGEST:
        raise FileInvalid(f"{path.name}: {name} is larger than {LARGEST // 2**20} MiB.")
    return read()


def _top(names: list[str]) -> str:
    """The folder that a zip keeps everything in, "" when there is none."""
    at = next((name for name in names if name.endswith("/users.json")), "")
    return at.removesuffix("users.json") if "users.json" not in names else ""
