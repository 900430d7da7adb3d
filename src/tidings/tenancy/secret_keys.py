"""The keys that seal stored secrets: TIDINGS_SECRET_KEY, or a file made once under TIDINGS_HOME."""

import base64
import binascii
import hashlib
import os
import secrets
import stat
from pathlib import Path
from uuid import UUID

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tidings.base.errors import SecretUnreadable, SettingInvalid
from tidings.base.settings import Settings

KEY_BYTES = 32
NONCE_BYTES = 12
FILE_NAME = "secret.key"


class Sealed(msgspec.Struct, frozen=True):
    """A secret as it is stored: nonce and ciphertext, and which key made it."""

    sealed: bytes
    key_id: str


class SecretKeys:
    """AES-256-GCM keys; the first seals, all open.

    Organization and name are associated data (NIST SP 800-38D): a sealed secret moved to another
    row does not open there.
    """

    def __init__(self, keys: list[bytes]) -> None:
        """Each key is 32 bytes; at least one."""
        self._keys = {key_id(key): AESGCM(key) for key in keys}
        self.current = key_id(keys[0])

    def seal(self, organization_id: UUID, name: str, plain: str) -> Sealed:
        """Seal under the first key with a fresh random nonce."""
        nonce = os.urandom(NONCE_BYTES)
        cipher = self._keys[self.current]
        text = cipher.encrypt(nonce, plain.encode(), _bound_to(organization_id, name))
        return Sealed(nonce + text, self.current)

    def open(self, organization_id: UUID, name: str, sealed: Sealed) -> str:
        """The plain secret. Raises `SecretUnreadable` for a key not given or a changed row."""
        cipher = self._keys.get(sealed.key_id)
        if cipher is None:
            raise SecretUnreadable(
                f"The secret {name} was sealed with the key {sealed.key_id}, which "
                "TIDINGS_SECRET_KEY no longer holds; add that key behind the first, or set the "
                "secret again."
            )
        nonce, text = sealed.sealed[:NONCE_BYTES], sealed.sealed[NONCE_BYTES:]
        try:
            return cipher.decrypt(nonce, text, _bound_to(organization_id, name)).decode()
        except InvalidTag:
            raise SecretUnreadable(
                f"The secret {name} is not as it was stored; set it again."
            ) from None


def key_id(key: bytes) -> str:
    """By what a row names the key that sealed it: 16 hex digits of its SHA-256."""
    return hashlib.sha256(key).hexdigest()[:16]


def load_secret_keys(settings: Settings) -> SecretKeys:
    """The keys of this deployment; makes the file once when none is set.

    Raises `SettingInvalid` for a key that is not 32 bytes in base64, or a file others can read.
    """
    if settings.secret_key is not None:
        text = settings.secret_key.get_secret_value()
        return SecretKeys(_decode_keys(text, "TIDINGS_SECRET_KEY"))
    path = settings.home / FILE_NAME
    if not path.exists():
        _create(path)
    return SecretKeys(_decode_keys(_read(path), str(path)))


def _decode_keys(text: str, origin: str) -> list[bytes]:
    keys = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        try:
            key = base64.b64decode(part.replace("-", "+").replace("_", "/"), validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if len(key) != KEY_BYTES:
            raise SettingInvalid(
                f"{origin} must hold 32 bytes in base64 (`openssl rand -base64 32` makes them)."
            )
        keys.append(key)
    if not keys:
        raise SettingInvalid(f"{origin} is empty; `openssl rand -base64 32` makes a key.")
    return keys


def _read(path: Path) -> str:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise SettingInvalid(f"{path} can be read by others; run `chmod 600 {path}`.")
    return path.read_text(encoding="ascii", errors="replace")


def _create(path: Path) -> None:
    """Make the file whole or not at all; of two processes at once, one's key is kept by both."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{FILE_NAME}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(base64.b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            # A link fails when the name is taken, where a rename would replace it.
            path.hardlink_to(draft)
        except FileExistsError:
            return
        _sync_folder(path.parent)
    finally:
        draft.unlink()


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _bound_to(organization_id: UUID, name: str) -> bytes:
    return organization_id.bytes + name.encode()
