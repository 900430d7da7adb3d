"""Whether the text is English: by its most frequent function words, which no other language has."""

from collections.abc import Iterable

from tidings.ai.engines.local.words import word_set

_ENGLISH = word_set("""
the of and to a in is it you that he was for on are with as i his they be at one have this from
or had by but what some we can out other were all there when up your how said an each she which
do their if will so would like into has him two more no my than been who its not now did about
just because think know yeah them then our could should where why okay well
""")
SAMPLE = 4000  # words that are looked at
SUREST = 25  # below this many words nothing can be told, and the caller's word is taken
_LEAST = 0.2  # English speech has 0.4 to 0.55; Welsh, German, French or Spanish below 0.12


def is_supported(language: str) -> bool:
    """Whether the engine reads this language (a BCP 47 tag or a name)."""
    return language.strip().lower().replace("_", "-").split("-")[0] in ("en", "eng", "english")


def looks_english(words: Iterable[str]) -> bool:
    """Whether a run of lower-case words can be English; few words are given the benefit."""
    seen = known = 0
    for word in words:
        seen += 1
        known += word in _ENGLISH
        if seen == SAMPLE:
            break
    return seen < SUREST or known / seen >= _LEAST
