"""What a short text is made of for the small classifiers: lower-case tokens and their n-grams."""

import re

# Words with their apostrophe, faces, runs of marks, numbers; any other sign stands alone.
_TOKEN = re.compile(
    r"[a-z]+(?:'[a-z]+)*|[:;=]['-]?[)(dp/\\|o*](?![a-z])|<3|[!?.,]+|[0-9]+|[^\x00-\x7f]"
)
_LINK = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
LONGEST = 4000
"""Characters that are read of one text; what comes after changes nothing."""


def tokens(text: str) -> list[str]:
    """The tokens of a text, in order; marks are made few ("!!!!" is "!!", "?!?" is "!?").

    Links are left out: what stands in an address is not said by anybody.
    """
    lowered = text[:LONGEST].lower().replace("’", "'")
    found = _TOKEN.findall(without_links(lowered))
    for i, token in enumerate(found):
        if token[0] in _MARKS and len(token) > 1:
            found[i] = _mark(token)
    return found


def without_links(text: str) -> str:
    """The text with a blank for every character of an address, so that places stay the same."""
    if "://" not in text and "www." not in text.lower():
        return text
    return _LINK.sub(lambda match: " " * len(match.group()), text)


_MARKS = frozenset("!?.,")


def _mark(run: str) -> str:
    """The few marks that a run of them stands for."""
    if "?" in run and "!" in run:
        return "!?"
    if run.count(run[0]) < len(run):
        return "?" if "?" in run else "!" if "!" in run else "."
    return "..." if run[0] == "." else run[:2]
