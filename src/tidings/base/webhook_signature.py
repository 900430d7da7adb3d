"""Who sent a webhook: signatures in the form of Standard Webhooks (standardwebhooks.com).

The `standardwebhooks` library is not used to verify: it reads the machine's clock, and fails with
foreign exceptions on malformed headers. The tests hold this code against its signatures.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from datetime import datetime

from tidings.base.errors import FieldProblem, InputInvalid, SettingInvalid, SignatureInvalid
from tidings.base.text import text_problem

TOLERANCE = 300  # seconds, both ways
LONGEST_ID = 255  # characters
LONGEST_SIGNATURES = 4096  # characters: a few keys in rotation, not a list to keep us busy


def verify(headers: Mapping[str, str], body: bytes, secret: str, now: datetime) -> str:
    """The `webhook-id` of a call that was signed with `secret` ("whsec_" + base64) around `now`.

    Header names in any case. Raises `SignatureInvalid` for every other call, and
    `SettingInvalid` when the secret itself is not one.
    """
    key = _key(secret)
    lower = {name.lower(): value for name, value in headers.items()}
    webhook_id = lower.get("webhook-id", "")
    sent_at = lower.get("webhook-timestamp", "")
    signatures = lower.get("webhook-signature", "")
    if not 0 < len(webhook_id) <= LONGEST_ID or text_problem(webhook_id) is not None:
        raise SignatureInvalid
    if not (sent_at.isascii() and sent_at.isdigit() and len(sent_at) <= 12):
        raise SignatureInvalid
    if abs(now.timestamp() - int(sent_at)) > TOLERANCE or len(signatures) > LONGEST_SIGNATURES:
        raise SignatureInvalid
    signed = f"{webhook_id}.{sent_at}.".encode() + body
    expected = b"v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest())
    offered = (one.encode("utf-8", "replace") for one in signatures.split(" "))
    if not any(hmac.compare_digest(expected, one) for one in offered):
        raise SignatureInvalid
    return webhook_id


def new_secret() -> str:
    """A secret to sign with, of 256 random bits."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def check_secret(secret: str) -> str:
    """The secret itself, or `InputInvalid` when no signature could be checked with it."""
    try:
        _key(secret)
    except SettingInvalid:
        problem = FieldProblem("signing_secret", "expected whsec_ followed by base64")
        raise InputInvalid(
            "signing_secret: expected whsec_ followed by base64.", errors=[problem]
        ) from None
    return secret


def _key(secret: str) -> bytes:
    encoded = secret.strip().removeprefix("whsec_").rstrip("=")
    try:
        key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not key:
        raise SettingInvalid("The webhook's secret is not whsec_ followed by base64.")
    return key
