"""Every operation of the OpenAPI document, with generated requests, against the real application.

No answer is a server error, none has a status or a shape that the document does not name.
"""

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.main import create_app
from tests.integration.service import ADMIN_KEY
from tests.story import two_epochs
from tests.world import HOLDERS, World

pytestmark = pytest.mark.chain
_CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
_EXAMPLES = 15


@schemathesis.serializer("application/x-ndjson")
def _lines(_context: Any, value: Any) -> bytes:
    """Lines of JSON; what breaks the document may be anything."""
    return value if isinstance(value, bytes) else str(value).encode()


def _keys(world: World) -> dict[str, str]:
    return {
        "operator": world.ledger.api_key,
        "attester": world.attesters.key_of(world.bound(0).attester),
        "admin": ADMIN_KEY,
        "public": "",
        "session": "",
        "console": world.ledger.api_key,
    }


def _cases(operation: Any) -> st.SearchStrategy[Any]:
    """Requests that keep to the document, and requests that break it."""
    modes = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    return st.one_of([operation.as_strategy(generation_mode=mode) for mode in modes])


def _try(operation: Any, key: str, here: dict[str, Any]) -> None:
    """Generated requests, half of them at what exists, a few without a key."""

    @settings(
        max_examples=_EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=_cases(operation), exists=st.booleans(), named=st.integers(0, 9))
    def run(case: Any, exists: bool, named: int) -> None:
        parameters = case.path_parameters
        if exists and parameters:
            parameters.update({n: v for n, v in here.items() if n in parameters})
        headers = {"Authorization": f"Bearer {key}"} if key and named else {}
        case.call_and_validate(headers=headers, checks=_CHECKS)

    run()


def test_openapi__generated_requests__conform_to_the_document(world: World) -> None:
    two_epochs(world)
    app = create_app(world.settings(admin_key=ADMIN_KEY))
    document = schemathesis.openapi.from_asgi("/openapi.json", app)
    here = {
        "facility_id": world.facility_id,
        "token_id": str(world.token_ids[0]),
        "address": HOLDERS[0],
        "epoch": 0,
        "index": 0,
        "lease_id": "lease-a",
        "path": f"facility-{world.facility_id}/facility.json",
    }
    keys, failures, tried = _keys(world), [], 0
    for result in document.get_all_operations():
        operation = result.ok()
        tried += 1
        tag = operation.definition.raw["tags"][0]
        try:
            _try(operation, keys[tag], here)
        except BaseExceptionGroup as group:
            failures.append(f"{operation.label}: {group.exceptions[0]}")
        except Exception as error:
            failures.append(f"{operation.label}: {error}")

    assert tried > 30
    assert not failures, "\n\n".join(failures)
