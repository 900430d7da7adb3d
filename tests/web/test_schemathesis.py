"""Requests made from the OpenAPI document: no defect, and no answer it does not promise.

Streams are left out: they do not end; `test_streams.py` reads them. Keys of the KV store stand in
the path with slashes of their own, which generated paths hide; `test_kv.py` sends them raw.
"""

from typing import Any, NoReturn
from uuid import uuid4

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tidings.web.app import create_app
from web.house import settings_for
from web.served import Served

STREAMS = ["watchKeys", "watchRun"]
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@pytest.fixture(scope="session")
def api_key(served: Served) -> str:
    async def make() -> str:
        house = served.house
        return await house.key(await house.team("Generated"))

    return served.call(make())


def _document() -> dict[str, Any]:
    app = create_app(settings_for("postgresql://unused"), open_services=_never_opened)
    document: dict[str, Any] = app.openapi_schema.to_schema()
    return document


def _never_opened() -> NoReturn:
    raise AssertionError("only the document is wanted")


schema = schemathesis.openapi.from_dict(_document()).exclude(operation_id=STREAMS)


@schema.parametrize()
@settings(
    max_examples=15,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_operation(case: schemathesis.Case, served: Served, api_key: str) -> None:
    headers = {"Authorization": f"Bearer {api_key}"}
    if "Idempotency-Key" in case.headers:  # generated ones repeat, and would be refused for it
        headers["Idempotency-Key"] = str(uuid4())
    case.call_and_validate(base_url=served.url, headers=headers, checks=CHECKS)
