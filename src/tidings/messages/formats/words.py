"""Bytes and encoded words of mail as text, whatever charset they claim."""

import codecs
import email.errors
from email.header import decode_header
from pathlib import Path

# Codecs of Python that are no charsets of mail; some take a time that grows with the square.
_NO_CHARSETS = frozenset(("idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined"))


def decode_words(value: str) -> str:
    """A header's text with its encoded words (RFC 2047); what cannot be decoded stays."""
    try:
        parts = decode_header(value)
    except (ValueError, email.errors.HeaderParseError):
        return value
    return "".join(
        part if isinstance(part, str) else decode_bytes(part, charset) for part, charset in parts
    )


def decode_bytes(data: bytes, charset: str | None) -> str:
    """Text in the charset that it claims, else in UTF-8, else in Windows' Western one."""
    for claimed in (charset, "utf-8", "cp1252"):
        try:
            if claimed and codecs.lookup(claimed).name not in _NO_CHARSETS:
                return data.decode(claimed)
        except (LookupError, ValueError):
            continue
    return data.decode("latin-1")


_PIECE = 1 << 20


def encoding_of(path: Path) -> str:
    """What a text file is written in: UTF-16 by its mark, UTF-8 if all of it is, else Windows'."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as file:
        piece = file.read(_PIECE)
        if piece.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16"
        try:
            while piece:
                decoder.decode(piece)
                piece = file.read(_PIECE)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "cp1252"
    return "utf-8-sig"
