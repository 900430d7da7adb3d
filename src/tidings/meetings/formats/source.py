"""A file's text in lines, whatever its encoding, and the one way to say where it is wrong."""

import codecs
from typing import Self

import msgspec

from tidings.base.errors import FieldProblem, FileInvalid

_CONTROLS = frozenset(chr(code) for code in range(32)) - frozenset("\t\n\r\f\v")


class Source(msgspec.Struct, frozen=True):
    """The name a person knows the file by, and its lines without their ends."""

    name: str
    lines: list[str]

    @classmethod
    def decode(cls, name: str, data: bytes) -> Self:
        """Read UTF-8, UTF-16 with a byte order mark, or else Windows-1252.

        Raises `FileInvalid` naming the line for what is none of these or holds NUL.
        """
        # A name from the file system may hold lone surrogates, which no answer can carry.
        source = cls(name.encode("utf-8", "replace").decode().replace("\x00", "?"), [])
        text = source._text(data)
        if "\x00" in text:
            line = text.count("\n", 0, text.index("\x00")) + 1
            raise source.wrong(line, "holds a NUL character; save the file as UTF-8 text.")
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        if not text.strip():
            raise source.wrong(1, "the file is empty.")
        return cls(source.name, text.split("\n"))

    def wrong(self, line: int, problem: str) -> FileInvalid:
        """The error "name line N: problem" to raise; lines count from 1."""
        return FileInvalid(
            f"{self.name} line {line}: {problem}", errors=[FieldProblem(f"line {line}", problem)]
        )

    def _text(self, data: bytes) -> str:
        wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        try:
            return data.decode("utf-16" if wide else "utf-8-sig")
        except UnicodeDecodeError as error:
            start = error.start
        # Non-ASCII text that was fine up to here is damaged UTF-8, and must not turn to mojibake.
        if not wide and data[:start].isascii():
            try:
                text = data.decode("cp1252")
            except UnicodeDecodeError as error:
                start = error.start
            else:
                if not _CONTROLS.intersection(text):
                    return text
        line = data.count(b"\n", 0, start) + 1
        raise self.wrong(line, "is not text in UTF-8, UTF-16 or Windows-1252; save it as UTF-8.")
