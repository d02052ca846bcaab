"""RFC 9457 problem details for every error, and their place in the OpenAPI document."""

import json
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException

from api.db.failures import as_unavailable
from api.errors import AppError, ChainRejected, ChainUnavailable
from api.routes.http.observed import REQUEST_ID
from api.routes.http.web import WebPages, wants_page

MEDIA_TYPE = "application/problem+json"


class Problem(BaseModel):
    """What went wrong, for people and machines (RFC 9457)."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(description="Identifies the kind of problem: `urn:rentroll:<code>`.")
    title: str = Field(description="Short name of the problem.")
    status: int = Field(description="HTTP status.")
    code: str = Field(description="Stable machine-readable code.")
    detail: str = Field(description="What is wrong and where, in a sentence.")


class ProblemResponse(JSONResponse):
    """A problem in ASCII: it may quote text that UTF-8 cannot carry, such as a lone surrogate."""

    media_type = MEDIA_TYPE

    def render(self, content: object) -> bytes:
        """JSON bytes; context values that JSON does not know become text."""
        return json.dumps(content, ensure_ascii=True, default=str).encode("ascii")


_DESCRIPTIONS = {
    400: "The request cannot be read.",
    401: "No valid API key, session or signature; of a key, `reason` says why.",
    403: "The API key or session is not for this, lacks the `scope` (code `scope_missing`), or a"
    " CSRF token is missing.",
    404: "There is no such thing, or not for this caller.",
    408: "The body did not come in time.",
    409: "Contradicts what is already recorded; `reason` says how.",
    413: "Body, batch or field above its limit.",
    415: "Media type or encoding that this route does not read.",
    422: "A value breaks a rule; `field` names it.",
    429: "More than this client's, key's or operator's share: `reason` says of what, `Retry-After`"
    " when to try again.",
    500: "Our fault, and logged; the answer says nothing of the inside.",
    503: "Database or chain cannot be reached, or no room: try again after `Retry-After`.",
}
# How long to wait where the error does not know.
_RETRY_AFTER_S = {429: 1, 503: 2}
# What any route can answer.
_ALWAYS = (429, 500, 503)
_HTTP_CODES = {
    400: "bad_request",
    404: "not_found",
    405: "method_not_allowed",
    408: "request_timeout",
    413: "too_large",
    422: "invalid_input",
}
# A body can break a thousand rules under keys of any length: the answer stays short.
_MAX_PLACES = 20
_MAX_QUOTE = 100


def errors(*statuses: int) -> dict[int | str, dict[str, object]]:
    """`responses=` of a route: the problems that it can answer with."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        status: {
            "description": _DESCRIPTIONS[status],
            "content": {MEDIA_TYPE: {"schema": schema}},
            "model": Problem,
        }
        for status in (*statuses, *_ALWAYS)
    }


def already(model: type[BaseModel]) -> dict[int | str, dict[str, object]]:
    """`responses=` of an idempotent route that creates: the same request again answers 200."""
    return {200: {"model": model, "description": "It was there already; nothing changed."}}


def _answer(
    status: int, code: str, detail: str, context: Mapping[str, object] | None = None
) -> JSONResponse:
    body = {
        **(context or {}),
        "type": f"urn:rentroll:{code}",
        "title": code.replace("_", " ").capitalize(),
        "status": status,
        "code": code,
        "detail": detail,
    }
    # The rest of such a body is not read: closing stops a client that would send for ever.
    headers = {"Connection": "close"} if status in (401, 408, 413, 429, 503) else {}
    if status in _RETRY_AFTER_S:
        # Source: RFC 9110 §10.2.3, RFC 6585 §4. Whole seconds.
        wait_s = body.get("retry_after_s", _RETRY_AFTER_S[status])
        headers["Retry-After"] = str(wait_s)
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return ProblemResponse(body, status, headers=headers)


def unready(problems: Sequence[str]) -> JSONResponse:
    """That requests cannot be answered now, and why.

    An answer and no error: handlers of errors wait for a thread, and this is asked when none is
    free.
    """
    context = {"problems": [*problems], "retry_after_s": 5}
    return _answer(503, "not_ready", "; ".join(problems), context)


def answered(error: AppError) -> JSONResponse:
    """The answer to an error that no route raised."""
    return _answer(error.status, error.code, error.message, error.context)


def _on_app_error(request: Request, error: Exception) -> JSONResponse:
    # Starlette types every handler for Exception; `install` registers this one for AppError.
    if not isinstance(error, AppError):
        raise error
    if isinstance(error, ChainRejected) and request.method == "GET":
        # A read that the node refuses is no conflict of the caller's.
        error = ChainUnavailable("the chain's node refuses a read; try again")
    return answered(error)


def _place(location: tuple[int | str, ...]) -> str:
    return ".".join(str(step)[:_MAX_QUOTE] for step in location if step != "body")


def _on_validation(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, RequestValidationError):
        raise error
    first = error.errors()[0]
    field = _place(first["loc"])
    places = [{"field": _place(e["loc"]), "error": e["msg"]} for e in error.errors()[:_MAX_PLACES]]
    detail = f"{field or 'body'}: {first['msg']}"
    return _answer(422, "invalid_input", detail, {"field": field, "errors": places})


def _on_database(_request: Request, error: Exception) -> JSONResponse:
    # What was raised outside of a transaction of ours. The rest is a mistake of ours, and logged.
    unavailable = as_unavailable(error)
    if unavailable is None:
        raise error
    return _answer(unavailable.status, unavailable.code, unavailable.message, unavailable.context)


def _on_unexpected(request: Request, _error: Exception) -> JSONResponse:
    # It is answered outside of everything that is installed: the id is put here by hand.
    request_id = request.scope.get("request_id")
    said = {} if request_id is None else {"request_id": request_id}
    answer = _answer(500, "internal", "this is our fault, and it is logged", said)
    if request_id is not None:
        answer.headers[REQUEST_ID] = request_id
    return answer


def _page_or_problem(pages: WebPages) -> Callable[[Request, Exception], Response]:
    """Handler of HTTP errors: a browser that opens a page gets one, also where nothing is."""

    def on_http(request: Request, error: Exception) -> Response:
        if not isinstance(error, HTTPException):
            raise error
        # Not a catch-all route, which would turn every 405 into a page.
        if error.status_code == HTTPStatus.NOT_FOUND and wants_page(request):
            return pages.answer(request.url.path)
        code = _HTTP_CODES.get(error.status_code, "http")
        answer = _answer(error.status_code, code, str(error.detail))
        answer.headers.update(error.headers or {})
        return answer

    return on_http


def install(app: FastAPI, pages: WebPages) -> None:
    """Answer every error as a problem; unexpected ones without a word about the inside."""
    app.add_exception_handler(AppError, _on_app_error)
    app.add_exception_handler(RequestValidationError, _on_validation)
    app.add_exception_handler(HTTPException, _page_or_problem(pages))
    app.add_exception_handler(SQLAlchemyError, _on_database)
    app.add_exception_handler(Exception, _on_unexpected)
