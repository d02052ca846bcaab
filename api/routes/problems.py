"""RFC 9457 problem details for every error, and their place in the OpenAPI document."""

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from api.errors import AppError

MEDIA_TYPE = "application/problem+json"


class Problem(BaseModel):
    """What went wrong, for people and machines (RFC 9457)."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(description="Identifies the kind of problem: `urn:rentroll:<code>`.")
    title: str = Field(description="Short name of the problem.")
    status: int = Field(description="HTTP status.")
    code: str = Field(description="Stable machine-readable code.")
    detail: str = Field(description="What is wrong and where, in a sentence.")


_DESCRIPTIONS = {
    400: "The request cannot be read.",
    401: "No valid API key.",
    403: "The API key is not for this.",
    404: "There is no such thing, or not for this caller.",
    409: "Contradicts what is already recorded; `reason` says how.",
    413: "Body, batch or field above its limit.",
    415: "Media type or encoding that this route does not read.",
    422: "A value breaks a rule; `field` names it.",
    503: "The chain cannot be reached.",
}


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """`responses=` of a route: the problems that it can answer with."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        status: {
            "description": _DESCRIPTIONS[status],
            "content": {MEDIA_TYPE: {"schema": schema}},
            "model": Problem,
        }
        for status in statuses
    }


def _answer(status: int, code: str, detail: str, **context: Any) -> JSONResponse:
    body = {
        "type": f"urn:rentroll:{code}",
        "title": code.replace("_", " ").capitalize(),
        "status": status,
        "code": code,
        "detail": detail,
        **context,
    }
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
    return JSONResponse(body, status, media_type=MEDIA_TYPE, headers=headers)


def _on_app_error(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, AppError):
        raise error
    context = {k: v for k, v in error.context.items() if k not in ("type", "status", "code")}
    return _answer(error.status, error.code, error.message, **context)


def _on_validation(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, RequestValidationError):
        raise error
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"] if part != "body")
    places = [{"field": ".".join(map(str, e["loc"])), "error": e["msg"]} for e in error.errors()]
    detail = f"{field or 'body'}: {first['msg']}"
    return _answer(422, "invalid_input", detail, field=field, errors=places[:20])


def _on_http(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, HTTPException):
        raise error
    codes = {404: "not_found", 405: "method_not_allowed"}
    answer = _answer(error.status_code, codes.get(error.status_code, "http"), str(error.detail))
    answer.headers.update(error.headers or {})
    return answer


def install(app: FastAPI) -> None:
    """Answer every expected error as a problem; unexpected ones stay a plain 500."""
    app.add_exception_handler(AppError, _on_app_error)
    app.add_exception_handler(RequestValidationError, _on_validation)
    app.add_exception_handler(HTTPException, _on_http)
