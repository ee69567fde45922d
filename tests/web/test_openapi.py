"""The description of the API: every endpoint stands in it, and the API does what it says, whatever it is sent."""

from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from relet.web.endpoints import ENDPOINTS
from relet.web.openapi import describe
from relet.web.site import make_site
from relet.web.tokens import make_token
from relet.web.visitor import Role
from tests.web.conftest import make_app

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
PLAIN = settings(deadline=None, phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck))


def test_every_endpoint_is_described_with_words():
    document = describe(ENDPOINTS)
    described = {(path, method) for path, methods in document["paths"].items() for method in methods}
    assert described == {(endpoint.path, endpoint.method.lower()) for endpoint in ENDPOINTS}
    for endpoint in ENDPOINTS:
        assert endpoint.words, f"{endpoint.name} has no docstring"


@pytest.mark.parametrize("signed_in", [True, False])
def test_the_api_does_what_its_description_says(tmp_path: Path, signed_in: bool):
    with make_app(f"sqlite:///{tmp_path}/jobs.db") as app:
        with app.shared.use() as store:
            made = make_token(store, "prober", Role.ADMIN, "test")
        headers = {"authorization": f"Bearer {made.text}"} if signed_in else {}
        schema: Any = schemathesis.openapi.from_dict(describe(ENDPOINTS))
        schema.app = make_site(app).asgi
        for result in schema.get_all_operations():
            operation = result.ok()

            @settings(PLAIN, max_examples=4 if signed_in else 1)
            @given(case=operation.as_strategy())
            def probe(case: Any) -> None:
                case.call_and_validate(checks=CHECKS, headers=headers)

            probe()
