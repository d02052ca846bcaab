"""The OpenAPI document: errors as problems only, and names that client generators can use."""

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

from api.routes.http.problems import MEDIA_TYPE

TAGS = [
    {
        "name": "operator",
        "description": "Facilities, leases, prices, metering, keys. Operator's key or session.",
    },
    {"name": "attester", "description": "Raw input and signatures. Attester's key."},
    {"name": "public", "description": "Statements, proofs, money, evidence. No key."},
    {"name": "console", "description": "What an operator sees of itself. Key or session."},
    {"name": "session", "description": "Signing in with a wallet. Cookie."},
    {"name": "admin", "description": "Operators, and keys of everybody. Admin key."},
]


def operation_id(route: APIRoute) -> str:
    """Name of the operation: that of the function, such as `create_facility`."""
    return route.name


def install(app: FastAPI) -> None:
    """Mend what FastAPI generates: it lists errors as `application/json` beside the problem."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = generate()
            for path in document["paths"].values():
                for operation in path.values():
                    _only_problems(operation["responses"])
            for unused in ("HTTPValidationError", "ValidationError"):
                document["components"]["schemas"].pop(unused, None)
            app.openapi_schema = document
        return app.openapi_schema

    # FastAPI documents this assignment as the way to extend the document.
    app.openapi = openapi  # type: ignore[method-assign]


def _only_problems(responses: dict[str, Any]) -> None:
    for status, response in responses.items():
        if int(status) >= HTTPStatus.BAD_REQUEST:
            response["content"] = {MEDIA_TYPE: response["content"][MEDIA_TYPE]}
