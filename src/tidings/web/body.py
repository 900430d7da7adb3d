"""Bodies: JSON, decoded once, straight into what the handler takes, and strictly.

Litestar would decode first and convert then, where the text "60" passes for a number.
"""

import json
import re
from typing import Any

import msgspec
from litestar import Request

from tidings.base.complaints import worded
from tidings.base.errors import FieldProblem, InputInvalid

_PLACE = re.compile(r"(?P<message>.*?)(?: - at `\$\.?(?P<field>.*)`)?", re.DOTALL)
_NAMED = re.compile(r"(?:missing required|contains unknown) field `(?P<name>[^`]+)`")


class StrictRequest(Request[Any, Any, Any]):
    """The request class of the API."""

    async def json(self) -> Any:
        """The handler's `data`. Raises `InputInvalid` that names the field."""
        wanted = self.route_handler.parsed_data_field
        body = await self.body()
        kind = Any if wanted is None else wanted.annotation
        try:
            return msgspec.json.decode(body, type=kind)
        except msgspec.ValidationError as error:
            raise InputInvalid(errors=[field_problem(str(error), kind)]) from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            if self.route_handler.opt.get("rows") and b"\\ud" in body.lower():
                return _with_surrogates(body, kind)
            raise InputInvalid("The body is not valid JSON in UTF-8.") from None


def _with_surrogates(body: bytes, kind: Any) -> Any:
    """A body that spells a lone surrogate, where each row is checked by itself.

    msgspec takes none of it then; the good rows are to be kept all the same.
    """
    try:
        return msgspec.convert(json.loads(body), kind)
    except msgspec.ValidationError as error:
        raise InputInvalid(errors=[field_problem(str(error), kind)]) from None
    except (ValueError, RecursionError):
        raise InputInvalid("The body is not valid JSON in UTF-8.") from None


def field_problem(complaint: str, kind: Any = None) -> FieldProblem:
    """One of msgspec's complaints: what is wrong, and where in the body of that type."""
    found = _PLACE.fullmatch(complaint)
    assert found is not None
    message, field = found["message"], found["field"] or ""
    if named := _NAMED.search(message):
        field = f"{field}.{named['name']}".lstrip(".")
        message = "is missing" if "missing" in message else "is not known here"
    return FieldProblem(field or "body", worded(message, kind, field))
