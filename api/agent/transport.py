"""How a body reaches the service: what is asked, what is answered, and who signs."""

import http
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from api.agent.failures import BodyRefused, NotAdmitted, Unreachable
from api.agent.flights import Flight, Result
from api.agent.web import BROKEN, Answer, Web
from api.domain.json_text import as_list, as_object, as_text, read_json

PATH = "/v1/events"
CONTENT_TYPE = "application/cloudevents-batch+json"
_LONGEST_WAIT_S = 3_600
_WAIT = frozenset(
    {
        http.HTTPStatus.REQUEST_TIMEOUT,
        http.HTTPStatus.TOO_EARLY,
        http.HTTPStatus.TOO_MANY_REQUESTS,
    }
)
# The body itself is at fault: it is cut into smaller ones, down to the event that is.
_CONDEMNED = frozenset(
    {
        http.HTTPStatus.BAD_REQUEST,
        http.HTTPStatus.CONFLICT,
        http.HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        http.HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        http.HTTPStatus.UNPROCESSABLE_ENTITY,
    }
)


class Signer(Protocol):
    """Gives a request what shows who sends it."""

    @property
    def author(self) -> str:
        """Whose flights and receipts these are: the key, or its name."""

    def log(self, facility: int) -> str:
        """The log that a request about a facility speaks of."""

    def headers(self, flight: Flight) -> Mapping[str, str]:
        """Headers of the request, all of them; the same flight may be signed again."""


@dataclass(frozen=True, slots=True)
class BearerSigner:
    """Shows an API key. Nothing is signed, and no receipt is given."""

    api_key: str

    @property
    def author(self) -> str:
        """Bodies are unsigned: one line of them for all keys, so that a new key goes on."""
        return "bearer"

    def log(self, facility: int) -> str:
        """A facility, by its number."""
        return str(facility)

    def headers(self, flight: Flight) -> Mapping[str, str]:
        """The key, and what the body is."""
        del flight
        return {"Authorization": f"Bearer {self.api_key}", "Content-Type": CONTENT_TYPE}


@dataclass(frozen=True, slots=True)
class Answered:
    """What the service says to a body: a result an event, and a receipt if it gave one."""

    results: list[Result]
    receipt: bytes | None
    date: str | None


class Transport(Protocol):
    """Brings bodies to the service."""

    def send(self, flight: Flight) -> Answered:
        """Send a body. Raises Unreachable, NotAdmitted, BodyRefused."""

    def ask_time(self) -> str | None:
        """The service's `Date`. Raises Unreachable."""


class HttpTransport:
    """Sends by HTTP, with a signer's headers."""

    def __init__(self, web: Web, signer: Signer) -> None:
        self._web, self._signer = web, signer

    def send(self, flight: Flight) -> Answered:
        """Send a body. Raises Unreachable, NotAdmitted, BodyRefused."""
        headers = self._signer.headers(flight)
        try:
            answer = self._web.ask("POST", PATH, body=flight.body, headers=headers)
        except BROKEN as error:
            raise Unreachable(f"no answer from {self._web.url}: {_said(error)}") from error
        _require_ok(answer)
        try:
            said = as_list(as_object(read_json(answer.body))["results"])
            results = [_result(as_object(each)) for each in said]
        except (ValueError, TypeError, KeyError) as error:
            raise Unreachable(f"{self._web.url} answers what no Rentroll would") from error
        if len(results) != len(flight.seqs):
            raise Unreachable(f"{self._web.url} answers {len(results)} of {len(flight.seqs)}")
        return Answered(results, None, answer.headers.get("date"))

    def ask_time(self) -> str | None:
        """The service's `Date`. Raises Unreachable."""
        try:
            return self._web.ask("GET", "/health").headers.get("date")
        except BROKEN as error:
            raise Unreachable(f"no answer from {self._web.url}: {_said(error)}") from error

    def abort(self) -> None:
        """From another thread: a request that waits fails now."""
        self._web.abort()

    def close(self) -> None:
        """Close the connection."""
        self._web.close()

    def check_key(self) -> None:
        """Have the service judge an empty body, which records nothing.

        Raises:  Unreachable, NotAdmitted, BodyRefused.
        """
        flight = Flight("", self._signer.author, 0, (), b"[]", b"")
        headers = self._signer.headers(flight)
        try:
            answer = self._web.ask("POST", f"{PATH}/check", body=flight.body, headers=headers)
        except BROKEN as error:
            raise Unreachable(f"no answer from {self._web.url}: {_said(error)}") from error
        _require_ok(answer)


def _result(said: dict[str, object]) -> Result:
    code, detail = said.get("code"), said.get("detail")
    return Result(
        as_text(said["status"]),
        code if isinstance(code, str) else "",
        detail if isinstance(detail, str) else "",
    )


def _require_ok(answer: Answer) -> None:
    """Raise what an answer means that is not 200."""
    status = answer.status
    if status == http.HTTPStatus.OK:
        return
    detail = f"{status} {_detail(answer)}".strip()
    if status in _WAIT or status >= http.HTTPStatus.INTERNAL_SERVER_ERROR:
        raise Unreachable(detail, retry_after_s=_retry_after_s(answer))
    if status in _CONDEMNED:
        raise BodyRefused(detail)
    # 401 and 403; and what a wrong URL answers, which condemns no event.
    raise NotAdmitted(detail)


def _detail(answer: Answer) -> str:
    try:
        said = as_object(read_json(answer.body))
        return f"{said.get('code') or ''} {said.get('detail') or ''}".strip()[:400]
    except (ValueError, TypeError):
        return ""


def _retry_after_s(answer: Answer) -> int:
    text = answer.headers.get("retry-after", "").strip()
    # The other form, a date, is not what the service sends: then our own pause counts.
    return min(int(text), _LONGEST_WAIT_S) if text.isascii() and text.isdigit() else 0


def _said(error: BaseException) -> str:
    return str(error)[:200] or type(error).__name__
