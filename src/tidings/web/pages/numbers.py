"""Numbers in forms."""

from tidings.base.errors import FieldProblem, InputInvalid


def whole_number(typed: object, field: str = "version", *, digits: int = 9) -> int:
    """A number from 0 on of at most so many digits. Raises `InputInvalid`."""
    text = str(typed)
    if not (text.isascii() and text.isdigit()) or len(text) > digits:
        raise InputInvalid(
            f"{field} must be a number; reload the page and send it again.",
            errors=[FieldProblem(field, "must be a number")],
        )
    return int(text)
