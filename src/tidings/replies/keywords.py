"""Keywords in a text: whole words and phrases, parts of words, or regular expressions.

Regular expressions are RE2's: linear in the text whatever the pattern, so that no rule and no
message can hold up a worker. What RE2 cannot do (look-around, back-references) is refused on save.
"""

import re
import unicodedata
from functools import lru_cache
from typing import Any, Literal

import re2

KeywordMode = Literal["words", "anywhere", "regex"]

LONGEST_PATTERN = 200
_MEMORY = 1 << 20  # bytes that a compiled pattern may take
# Scripts that set no spaces between words: there, a word's edge cannot be told.
_RUN_ON = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")

_APOSTROPHES = str.maketrans("\u2018\u2019\u02bc", "'''")  # phones type another than keyboards


def found_keyword(text: str, keywords: list[str], mode: KeywordMode) -> str | None:
    """The first keyword that occurs in the text, in any case."""
    folded = fold(text) if mode != "regex" else text
    for keyword in keywords:
        # A word as it stands is found many times as fast as a pattern, and most are not there.
        if _needle(keyword, mode) in folded and _pattern(keyword, mode).search(folded):
            return keyword
    return None


def keyword_problem(keyword: str, mode: KeywordMode) -> str | None:
    """Why a keyword cannot be used, or None."""
    if mode != "regex":
        return None
    if len(keyword) > LONGEST_PATTERN:
        return f"has a regular expression longer than {LONGEST_PATTERN} characters"
    try:
        _pattern(keyword, mode)
    except re2.error as error:
        said = error.args[0] if error.args else ""
        reason = said.decode(errors="replace") if isinstance(said, bytes) else str(said)
        return f"has a regular expression that RE2 does not take: {reason[:200]}"
    return None


@lru_cache(maxsize=16)  # every rule looks at the same message in turn
def fold(text: str) -> str:
    """The text as it is compared: composed, without case, with one kind of apostrophe."""
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())
    return folded.translate(_APOSTROPHES)


@lru_cache(maxsize=4096)
def _needle(keyword: str, mode: KeywordMode) -> str:
    """The longest word of a phrase; of a regular expression nothing, which is in every text."""
    return "" if mode == "regex" else max(fold(keyword).split(), key=len)


@lru_cache(maxsize=4096)
def _pattern(keyword: str, mode: KeywordMode) -> Any:
    if mode == "regex":
        options = re2.Options()
        options.case_sensitive = False
        options.log_errors = False
        options.max_mem = _MEMORY
        return re2.compile(keyword, options)
    # Escaped words, so that Python's own engine has nothing to try twice.
    words = [re.escape(word) for word in fold(keyword).split()]
    phrase = r"\s+".join(words)
    if mode == "anywhere":
        return re.compile(phrase)
    before = r"(?<!\w)" if _has_edge(fold(keyword).strip()[0]) else ""
    after = r"(?!\w)" if _has_edge(fold(keyword).strip()[-1]) else ""
    return re.compile(f"{before}{phrase}{after}")


def _has_edge(character: str) -> bool:
    return re.match(r"\w", character) is not None and _RUN_ON.match(character) is None
