"""What a form carries: texts, numbers, ids; and by its fields what was wrong with them."""

from collections.abc import Mapping
from uuid import UUID

from tidings.base.errors import FieldProblem, InputInvalid
from tidings.web.auth import AnyRequest

Form = dict[str, str]


async def read_form(request: AnyRequest) -> Form:
    """The fields that were posted; of a field that comes several times the last."""
    return {name: str(value) for name, value in (await request.form()).items()}


def whole_number(typed: object, field: str = "version", *, digits: int = 9) -> int:
    """A number from 0 on of at most so many digits. Raises `InputInvalid`."""
    text = str(typed)
    if not (text.isascii() and text.isdigit()) or len(text) > digits:
        raise InputInvalid(
            f"{field} must be a number; reload the page and send it again.",
            errors=[FieldProblem(field, "must be a number")],
        )
    return int(text)


def version_of(form: Mapping[str, object]) -> int | None:
    """The version that the form was made of, None where it names none. Raises `InputInvalid`."""
    typed = form.get("version")
    return whole_number(typed, digits=18) if typed else None


def to_uuid(typed: object) -> UUID:
    """An id that the page put into the form. Raises `InputInvalid`."""
    try:
        return UUID(str(typed))
    except ValueError:
        raise InputInvalid("The form is incomplete; reload the page and send it again.") from None


def field_errors(error: InputInvalid) -> dict[str, str]:
    """What is wrong, by field."""
    return {problem.field: problem.message for problem in error.errors}
