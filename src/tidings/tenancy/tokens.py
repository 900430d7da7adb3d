"""Random tokens and how they are stored: 256 random bits, kept as their SHA-256.

No slow hash is needed: nobody guesses 256 bits, and a look-up by digest is one index probe.
"""

import hashlib
import secrets

KEY_PREFIX = "tk_"
TOKEN_LENGTH = 43
"""Characters of 32 bytes in URL-safe base64 without padding."""


def new_token() -> str:
    """43 URL-safe characters from the operating system's random source."""
    return secrets.token_urlsafe(32)


def hash_token(token: str) -> bytes:
    """The 32 bytes by which a token is stored and found."""
    return hashlib.sha256(token.encode()).digest()
