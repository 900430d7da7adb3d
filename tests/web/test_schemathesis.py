"""Requests made from the OpenAPI document: no defect, and no answer it does not promise.

Streams are left out: they do not end; `test_streams.py` reads them. Keys of the KV store stand in
the path with slashes of their own, which generated paths hide; `test_kv.py` sends them raw.
"""

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from web.served import Served

STREAMS = ["watchKeys", "watchRun"]
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    ignored_auth,
]


@pytest.fixture(scope="session")
def api_key(served: Served) -> str:
    async def make() -> str:
        house = served.house
        return await house.key(await house.team("Generated"))

    return served.call(make())


@pytest.fixture(scope="session")
def api_schema(served: Served) -> schemathesis.BaseSchema:
    return schemathesis.openapi.from_url(f"{served.url}/schema/openapi.json")


schema = schemathesis.pytest.from_fixture("api_schema").exclude(operation_id=STREAMS)


@schema.parametrize()
@settings(
    max_examples=15,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_operation(case: schemathesis.Case, api_key: str) -> None:
    case.call_and_validate(headers={"Authorization": f"Bearer {api_key}"}, checks=CHECKS)
