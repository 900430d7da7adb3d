"""Evidence: whether a quote stands in the text that it points at. Pure."""

from tidings.base.text import normalise_quote


def is_quoted(quote: str, text: str) -> bool:
    """Whether a quote, not blank, stands in a text, after normalising white space and quotes."""
    wanted = normalise_quote(quote)
    return bool(wanted) and wanted in normalise_quote(text)
