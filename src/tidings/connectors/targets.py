"""Where a setting may lead us: never into our own network (SSRF)."""

import asyncio
import ipaddress
import re
import socket
from urllib.parse import urlsplit

import msgspec

from tidings.base.errors import InputInvalid, SourceUnavailable

LONGEST_URL = 2000

_HOST = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,20}\.?")


class Target(msgspec.Struct, frozen=True):
    """An address that was looked up and may be called: the connection goes to `ip`, and no other.

    Looking it up again when connecting would let a name point elsewhere in between.
    """

    url: str
    host: str
    ip: str
    port: int
    is_tls: bool


def check_url(url: str, *, allow_private: bool) -> str:
    """The URL itself. Raises `InputInvalid` for what cannot be a gateway.

    https to any host; with `allow_private` http too.
    """
    problem = None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _invalid("is not a URL") from None
    if len(url) > LONGEST_URL or not url.isprintable() or " " in url:
        problem = "is not a URL"
    elif parts.scheme != "https" and not (allow_private and parts.scheme == "http"):
        problem = "must begin with https://"
    elif not parts.hostname or parts.username or parts.password:
        problem = "must name a host, and no user"
    elif port == 0:
        problem = "has no port that one could call"
    elif not allow_private and _is_literal(parts.hostname) and not _is_public(parts.hostname):
        problem = "leads to a private network"
    if problem is not None:
        raise _invalid(problem)
    return url


async def find_target(url: str, *, allow_private: bool) -> Target:
    """Look up where a URL leads. Raises `SourceUnavailable` for nowhere, or nowhere allowed."""
    parts = urlsplit(url)
    is_tls = parts.scheme == "https"
    port = parts.port or (443 if is_tls else 80)
    host = parts.hostname or ""
    ip = await find_address(host, port, allow_private=allow_private)
    return Target(url, host, ip, port, is_tls)


def check_host(host: str, *, allow_private: bool) -> str:
    """The name or address of a server itself. Raises `InputInvalid` for what cannot be one."""
    problem = None
    if not _HOST.fullmatch(host) and not _is_literal(host):
        problem = "is not the name of a host"
    elif not allow_private and _is_literal(host) and not _is_public(host):
        problem = "leads to a private network"
    if problem is not None:
        raise InputInvalid.of("host", problem)
    return host


async def find_address(host: str, port: int, *, allow_private: bool) -> str:
    """The IP address of a host. Raises `SourceUnavailable` for nowhere, or nowhere allowed."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise SourceUnavailable(f"There is no host {host}.") from None
    addresses = [str(entry[4][0]) for entry in found]
    # One private address among public ones is an attempt, not an accident.
    if not allow_private and not all(map(_is_public, addresses)):
        raise SourceUnavailable(f"{host} leads to a private network.")
    return addresses[0]


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_public(address: str) -> bool:
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        # Addresses that carry one of version 4 lead where that one leads.
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo and ip.teredo[1])
        if inner:
            ip = inner
    return ip.is_global and not ip.is_multicast


def _invalid(problem: str) -> InputInvalid:
    return InputInvalid.of("url", problem)
