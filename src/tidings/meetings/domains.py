"""A company's domain, whatever a person typed or an invitation held."""

import re
from typing import NoReturn

import idna

from tidings.base.errors import DomainInvalid, FieldProblem

LONGEST_INPUT = 4096  # characters: a whole URL may be pasted, nothing longer is looked at
LONGEST_DOMAIN = 253  # RFC 1035 section 2.3.4, without the root's dot
LONGEST_LABEL = 63

_SCHEME = re.compile(r"^(?:[a-z][a-z0-9+.-]*:)?//", re.IGNORECASE)
_PATH = re.compile(r"[/\\?#]")
_PORT = re.compile(r":[0-9]*$")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")
# A last label that URL parsers read as a number makes the whole host an IPv4 address.
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


def normalise_domain(text: str) -> str:
    """The bare lower-case ASCII domain in a domain, URL or e-mail address.

    Scheme, user part, `www.`, port, path, query, fragment, root dot, case and outer white
    space are removed; IDNA (UTS 46, non-transitional) gives ASCII. Idempotent.
    Raises `DomainInvalid`, and nothing else, for what no company could have.
    """
    if len(text) > LONGEST_INPUT:
        _refuse(f"is longer than {LONGEST_DOMAIN} characters")
    host = _PATH.split(_SCHEME.sub("", text.strip()), maxsplit=1)[0]
    host = host.rpartition("@")[2].strip()
    if host.startswith("["):
        _refuse("is an IP address")
    host = _PORT.sub("", host)
    if not host:
        _refuse("is empty")
    if len(host) > LONGEST_DOMAIN + 1:
        _refuse(f"is longer than {LONGEST_DOMAIN} characters")
    domain = ".".join(_ascii_label(label) for label in _mapped(host).split("."))
    while domain.startswith("www.") and domain.count(".") > 1:
        domain = domain[4:]
    if "." not in domain:
        _refuse("has no dot")
    if _NUMBER.fullmatch(domain.rpartition(".")[2]):
        _refuse("is an IP address or ends in a number")
    if len(domain) > LONGEST_DOMAIN:
        _refuse(f"is longer than {LONGEST_DOMAIN} characters")
    return domain


def email_domain(email: str) -> str | None:
    """The normalised domain of an e-mail address, or None when it holds none."""
    _, at, host = email.rpartition("@")
    if not at:
        return None
    try:
        return normalise_domain(host.strip().rstrip(">"))
    except DomainInvalid:
        return None


def _mapped(host: str) -> str:
    """The host in lower case, full-width forms folded, without its root dot (UTS 46 section 4)."""
    if not host.isascii():
        try:
            host = idna.uts46_remap(host, std3_rules=False, transitional=False)
        except (idna.IDNAError, UnicodeError):
            _refuse("holds characters that no domain has")
    return host.lower().removesuffix(".")


def _ascii_label(label: str) -> str:
    if not label:
        _refuse("has an empty part between two dots, or is empty")
    if not label.isascii() or label.startswith("xn--"):
        try:
            label = idna.alabel(label).decode("ascii").lower()
        except (idna.IDNAError, UnicodeError):
            _refuse("holds characters that no domain has, or a part that is too long")
    if len(label) > LONGEST_LABEL:
        _refuse(f"has a part longer than {LONGEST_LABEL} characters")
    if not _LABEL.fullmatch(label):
        _refuse("may hold letters, digits, dots and inner hyphens only")
    return label


def _refuse(problem: str) -> NoReturn:
    raise DomainInvalid(
        f"The domain {problem}; send something like acmecorp.com.",
        errors=[FieldProblem("domain", problem)],
    )
