"""Whether a machine wrote a message, by its headers (RFC 3834), so that no machine answers it."""

import re
from typing import Literal

from tidings.messages.references import Headers, header_values

Automatic = Literal["reply", "list", "bounce", "own"]

_DAEMON = re.compile(r"(?:mailer-daemon|postmaster)(?:@|$)", re.IGNORECASE)
_NO_REPLY = re.compile(r"(?:no|do[._-]?not|donot)[._-]?reply(?:[+@]|$)", re.IGNORECASE)
_LIST_HEADERS = ("list-id", "list-unsubscribe", "list-post", "mailing-list")
_REPLY_HEADERS = ("x-autoreply", "x-autorespond", "x-autoresponder")
_AWAY = re.compile(
    r"\b(?:out[ -]of[ -](?:the[ -])?office|automatic reply|auto[ -]?reply|away from (?:my|the) "
    r"(?:mail|office)|on vacation|abwesenheit|absence du bureau|respuesta automática)\b",
    re.IGNORECASE,
)


def why_automatic(headers: Headers, direction: str, sender: str, subject: str) -> Automatic | None:
    """The reason, or None when a person wrote it. `own` is what a machine sent for us.

    A subject alone proves nothing: people write about being out of office. An address that says
    that nobody reads it is a machine's.
    """
    found = _by_headers(headers) if headers else None
    if found is not None and found != "bounce" and _AWAY.search(subject):
        found = "reply"
    if found is None and direction == "in":
        found = "bounce" if _DAEMON.match(sender) else None
        found = found or ("reply" if _NO_REPLY.match(sender) else None)
    return "own" if found is not None and direction == "out" else found


def _by_headers(headers: Headers) -> Automatic | None:
    def says(name: str) -> str:
        return " ".join(header_values(headers, name)).strip().lower()

    content = says("content-type")
    if "report-type=delivery-status" in content.replace('"', "").replace(" ", ""):
        return "bounce"
    submitted = says("auto-submitted").partition(";")[0].strip()
    precedence = says("precedence")
    if submitted not in ("", "no") or precedence in ("auto_reply", "auto-reply"):
        return "reply"
    if any(header_values(headers, name) for name in _REPLY_HEADERS):
        return "reply"
    if any(header_values(headers, name) for name in _LIST_HEADERS):
        return "list"
    if precedence in ("bulk", "list", "junk"):
        return "list"
    if says("x-auto-response-suppress") not in ("", "none"):
        return "reply"
    return "bounce" if says("return-path").replace(" ", "") == "<>" else None
