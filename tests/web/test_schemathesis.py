"""Requests made from the OpenAPI document: no defect, and no answer it does not promise.

Streams are left out: they do not end; `test_streams.py` reads them. Keys of the KV store stand in
the path with slashes of their own, which generated paths hide; `test_kv.py` sends them raw.
"""

from collections.abc import Iterator
from http.cookiejar import DefaultCookiePolicy
from typing import Any, NoReturn
from uuid import uuid4

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
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


DOCUMENT = _document()
NAMES = [
    operation["operationId"]
    for item in DOCUMENT["paths"].values()
    for method, operation in item.items()
    if method in ("get", "post", "put", "patch", "delete")
    and operation["operationId"] not in STREAMS
]
schema = schemathesis.openapi.from_dict(DOCUMENT)
MODES = list(schemathesis.GenerationMode)


@pytest.fixture(scope="session")
def session() -> Iterator[requests.Session]:
    """One connection for all requests; no cookie goes from one to the next."""
    with requests.Session() as session:
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        yield session


def _send(case: schemathesis.Case, url: str, key: str, session: requests.Session) -> None:
    headers = {"Authorization": f"Bearer {key}"}
    if "Idempotency-Key" in (case.headers or {}):  # generated ones repeat and would be refused
        headers["Idempotency-Key"] = str(uuid4())
    case.call_and_validate(base_url=url, session=session, headers=headers, checks=CHECKS)


# Not `schema.parametrize`: the tests it makes share one name, of which xdist runs one.
@pytest.mark.parametrize("name", NAMES)
def test_at_the_boundaries(
    name: str, served: Served, api_key: str, session: requests.Session
) -> None:
    """Each parameter and body at, just below and just beyond what the document allows."""
    operation = schema.find_operation_by_id(name)
    cases = schema.iter_coverage_cases(
        operation=operation, generation_modes=MODES, generation_config=schema.config.generation
    )
    sent = 0
    for case in cases:
        _send(case, served.url, api_key, session)
        sent += 1
    assert sent


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("mode", MODES)
def test_at_random(
    name: str,
    mode: schemathesis.GenerationMode,
    served: Served,
    api_key: str,
    session: requests.Session,
) -> None:
    operation = schema.find_operation_by_id(name)
    is_open = not (operation.body or operation.query or operation.path_parameters)
    if mode is schemathesis.GenerationMode.NEGATIVE and is_open:
        return  # there is nothing to get wrong

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=8,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def check(case: schemathesis.Case) -> None:
        _send(case, served.url, api_key, session)

    check()
