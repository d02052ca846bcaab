"""The OpenAPI document for a stranger: complete, consistent, and its examples work."""

import ast
import re
from pathlib import Path
from typing import Any

from api.domain.metering import events as domain_events
from api.domain.metering.instants import parse_instant
from api.domain.metering.rejections import REJECTIONS, TO_DO
from api.routes.http.body import BATCH, JSON, SINGLE
from api.routes.operator.event_docs import EVENT_EXAMPLES, event_schema
from tests.integration.service import ADMIN_KEY, Service

# The document does not depend on the database.

API = Path(__file__).resolve().parents[3] / "api"
_UNIT = re.compile(r"(_s|_micros|_bps|_ppm|gpu_seconds|_joules|_micros_per_\w+)$")
_UNIT_WORDS = re.compile(
    r"seconds|micros|minor units|basis points|parts per million|GPU-hours|GPU-seconds|GPUs|joules",
    re.IGNORECASE,
)
# Integers that name or count things and have no unit.
_PLAIN = re.compile(
    r"^(facility_id|operator_id|epoch|epoch_count|epochs_closed|index|offset|limit|status|accepted"
    r"|duplicates|rejected|signatures|line_count|device_count|tranche_count|block_number|indexed_block|final_block"
    r"|chain_head|open_transactions|epochs_posted|epochs_settled|total|records|gaps|conflicts|version"
    r"|default_after_epochs|block|seniority|first_epoch|last_epoch|bucket_epochs|country|chain_id"
    r"|decimals|confirmations|bytes|threshold|statements_signed|statements_voided"
    r"|number|due|approvals|from_epoch|approved_at|after|corrects|statement|through_statement|entry"
    r"|checked_block|place|stated_in|waiting|attempts|changes_left_off|line|ended|last_entry|size|rejections|format)$"
)


def _operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    paths = document["paths"].items()
    return [(path, method, o) for path, item in paths for method, o in item.items()]


def _properties(schema: Any, where: str) -> list[tuple[str, str, dict[str, Any]]]:
    """`(where, name, schema)` of every property below a schema."""
    found = []
    if isinstance(schema, dict):
        for name, inner in schema.get("properties", {}).items():
            if isinstance(inner, dict) and "properties" not in schema.get("required", []):
                found.append((where, name, inner))
        for key, inner in schema.items():
            if key not in ("examples", "example"):
                found += _properties(inner, where)
    elif isinstance(schema, list):
        for inner in schema:
            found += _properties(inner, where)
    return found


def _is_integer(schema: dict[str, Any]) -> bool:
    return any(s.get("type") == "integer" for s in (schema, *schema.get("anyOf", ())))


def test_openapi__every_operation__is_described_for_people_and_generators(service: Service) -> None:
    document = service.client.get("/openapi.json").json()
    names = {tag["name"] for tag in document["tags"]}
    ids = []

    for path, method, operation in _operations(document):
        where = f"{method} {path}"
        ids.append(operation["operationId"])
        assert re.fullmatch(r"[a-z]+(_[a-z]+)+", operation["operationId"]), where
        assert operation["summary"], where
        assert operation["description"].endswith((".", "|\n", "|")), where
        assert len(operation["tags"]) == 1, where
        assert set(operation["tags"]) <= names, where
        for parameter in operation.get("parameters", []):
            assert parameter.get("description"), f"{where} {parameter['name']}"
    assert len(set(ids)) == len(ids)
    assert all(tag["description"] for tag in document["tags"])


def test_openapi__every_field__is_described_and_quantities_name_their_unit(
    service: Service,
) -> None:
    document = service.client.get("/openapi.json").json()
    fields = _properties(document["components"]["schemas"], "schema")
    for path, method, operation in _operations(document):
        fields += _properties(operation.get("requestBody", {}), f"{method} {path}")
    parameters = [
        (path, p["name"], {**p["schema"], "description": p.get("description")})
        for path, _, operation in _operations(document)
        for p in operation.get("parameters", [])
    ]

    undescribed = [f"{w}: {n}" for w, n, s in fields + parameters if not s.get("description")]
    without_unit = [
        f"{w}: {n}"
        for w, n, s in fields + parameters
        if _is_integer(s) and not _PLAIN.search(n) and not _UNIT.search(n)
        if not _UNIT_WORDS.search(s.get("description") or "")
    ]

    assert len(fields) > 100
    assert undescribed == []
    assert without_unit == []
    for name, schema in document["components"]["schemas"].items():
        assert schema.get("description") or "enum" in schema, name


def test_openapi__every_error__is_a_problem_and_listed(service: Service) -> None:
    document = service.client.get("/openapi.json").json()
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}

    for path, method, operation in _operations(document):
        statuses = {int(status) for status in operation["responses"]}
        wanted = {500, 503}
        wanted |= {401, 403} if "security" in operation else set()
        wanted |= {413, 422, 400} if "requestBody" in operation else set()
        wanted |= {422} if operation.get("parameters") else set()
        wanted |= {415} if path == "/v1/events" else set()
        assert wanted <= statuses, f"{method} {path} lacks {wanted - statuses}"
        for status in statuses:
            if status >= 400:
                assert operation["responses"][str(status)]["content"] == problem
                assert operation["responses"][str(status)]["description"]


def test_openapi__event_schemas__have_the_fields_of_the_domain(service: Service) -> None:
    required, optional = domain_events._REQUIRED, domain_events._OPTIONAL

    for event_type in required:
        data = event_schema(event_type)["properties"]["data"]
        assert set(data["required"]) == required[event_type]
        assert set(data["properties"]) == required[event_type] | optional[event_type]
    body = service.client.get("/openapi.json").json()["paths"]["/v1/events"]["post"]["requestBody"]
    assert set(body["content"]) == {SINGLE, BATCH, JSON}
    assert set(body["content"][SINGLE]["examples"]) == set(required) == set(EVENT_EXAMPLES)


def _codes_in_source() -> set[str]:
    found = set()
    for path in API.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "id", None)
            if name == "EventRejected" and isinstance(node.args[0], ast.Constant):
                found.add(node.args[0].value)
            # What versions of a lease's terms pass on to the judge.
            for keyword in node.keywords:
                if keyword.arg == "reason" and path.name == "event_types.py":
                    assert isinstance(keyword.value, ast.Constant)
                    found.add(keyword.value.value)
    return found


def test_rejections__every_code_of_the_source__is_in_the_one_table(service: Service) -> None:
    # What the judge says of terms that contradict themselves, and codes that it hands on.
    codes = _codes_in_source() | {"terms_invalid", "overlap", "outage_overlap"}

    assert codes == set(REJECTIONS)
    about = service.client.get("/openapi.json").json()["paths"]["/v1/events"]["post"]["description"]
    for code, sentence in REJECTIONS.items():
        assert f"| `{code}` | {sentence} | {TO_DO[code]} |" in about
        assert sentence.endswith(".")


def test_openapi__examples__are_accepted_by_the_app(service: Service) -> None:
    service.ledger.clock.now_s = parse_instant("2026-12-01T18:00:00Z", field="now")
    document = service.client.get("/openapi.json").json()
    schemas = document["components"]["schemas"]
    operator, key, facility, lease, price, close = (
        schemas[n]["examples"][0]
        for n in ("OperatorIn", "AttesterKeyIn", "FacilityIn", "LeaseIn", "PriceIn", "CloseIn")
    )

    def post(path: str, body: Any, api_key: str) -> Any:
        answer = service.client.post(path, json=body, headers=service.auth(api_key))
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    api_key = post("/v1/operators", operator, ADMIN_KEY)["api_key"]
    post("/v1/attester-keys", key, ADMIN_KEY)
    facility_id = post("/v1/facilities", facility, api_key)["facility_id"]
    leases = f"/v1/facilities/{facility_id}/leases"
    post(leases, lease, api_key)
    assert post(leases, lease, api_key)["created"] is False
    post(f"{leases}/{lease['lease_id']}/prices", price, api_key)
    post(f"{leases}/{lease['lease_id']}/close", close, api_key)

    def here(value: Any) -> Any:
        # The examples say facility 1; this one has another number.
        return {**value, "data": {**value["data"], "facility_id": facility_id}}

    content = document["paths"]["/v1/events"]["post"]["requestBody"]["content"]
    batch = [here(event) for event in content[BATCH]["examples"]["batch"]["value"]]
    results = service.post(batch, key=api_key).json()["results"]
    assert [r.get("code", r["status"]) for r in results] == [
        *["accepted"] * (len(batch) - 1),
        "pledge_fixed",
    ]
    for media in (SINGLE, JSON):
        for name, example in content[media]["examples"].items():
            if name != "batch":
                answer = service.post(here(example["value"]), media=media, key=api_key).json()
                assert answer["duplicates"] == (name != domain_events.DEVICE_REGISTERED)
