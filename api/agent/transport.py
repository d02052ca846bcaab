"""How a body reaches the service: what is asked, what is answered, and who signs."""

import http
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from api.agent.failures import (
    Behind,
    BodyRefused,
    KeyNotKnown,
    LogLacks,
    NotAdmitted,
    Unreachable,
)
from api.agent.flights import Flight, Result
from api.agent.restoring import Given, Kept, Stretches, give_back
from api.agent.web import BROKEN, Answer, Web
from api.domain.json_text import as_list, as_object, as_text, read_json

PATH = "/v1/events"
AFTER_WRONG = "after_wrong"
_LOG_BEHIND, _KEY_UNKNOWN = "log_behind", "key_unknown"
CONTENT_TYPE = "application/cloudevents-batch+json"
_LONGEST_WAIT_S = 3_600
_STATUSES = frozenset({"accepted", "duplicate", "rejected"})
_UNKNOWN = "unknown_status"
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
    def signs(self) -> bool:
        """Whether each request is signed, and gets a receipt."""

    @property
    def author(self) -> str:
        """Whose flights and receipts these are: the key, or its name."""

    def log(self, facility: int) -> str:
        """The log that a request about a facility speaks of."""

    def headers(self, flight: Flight, *, path: str, content_type: str) -> Mapping[str, str]:
        """Headers of the request, all of them; the same flight may be signed again."""

    def receipt(
        self, flight: Flight, answer: Mapping[str, object], results: Sequence[Result]
    ) -> bytes | None:
        """The receipt that an answer has to give, if it has to. Raises LogRefused."""

    def begin_behind(self, flight: Flight, answer: Mapping[str, object]) -> bytes:
        """The receipt behind which the service says that the author goes on. Raises LogRefused."""

    def off_s(self, receipt: bytes) -> int:
        """How far the second of a receipt is off this machine's clock, beyond what may be."""

    def newest(self, facility: int) -> Kept | None:
        """The newest receipt of a log, without its body."""

    def within(self, facility: int, stretches: Stretches) -> Iterable[Kept]:
        """Receipts of entries of some stretches, by number, with their bodies."""


@dataclass(frozen=True, slots=True)
class BearerSigner:
    """Shows an API key. Nothing is signed, and no receipt is given."""

    api_key: str

    @property
    def signs(self) -> bool:
        """Nothing is signed."""
        return False

    @property
    def author(self) -> str:
        """Bodies are unsigned: one line of them for all keys, so that a new key goes on."""
        return "bearer"

    def log(self, facility: int) -> str:
        """A facility, by its number."""
        return str(facility)

    def headers(self, flight: Flight, *, path: str, content_type: str) -> Mapping[str, str]:
        """The key, and what the body is."""
        del flight, path
        return {"Authorization": f"Bearer {self.api_key}", "Content-Type": content_type}

    def receipt(
        self, flight: Flight, answer: Mapping[str, object], results: Sequence[Result]
    ) -> bytes | None:
        """None: what nobody signed has none."""
        del flight, answer, results
        return None

    def begin_behind(self, flight: Flight, answer: Mapping[str, object]) -> bytes:
        """Bodies that nobody signs stand behind nothing."""
        del flight, answer
        raise NotAdmitted("the service speaks of receipts, and nothing was signed")

    def off_s(self, receipt: bytes) -> int:
        """Nothing of a receipt that there is not."""
        del receipt
        return 0

    def newest(self, facility: int) -> Kept | None:
        """None: what nobody signed has no receipt."""
        del facility
        return None

    def within(self, facility: int, stretches: Stretches) -> Iterable[Kept]:
        """None."""
        del facility, stretches
        return ()


@dataclass(frozen=True, slots=True)
class Answered:
    """What the service says to a body: a result an event, and a receipt if it gave one.

    off_s: how far the receipt's second is off this machine's clock, beyond what may be.
    """

    results: list[Result]
    receipt: bytes | None
    date: str | None
    off_s: int = 0


class Transport(Protocol):
    """Brings bodies to the service."""

    def send(self, flight: Flight) -> Answered:
        """Send a body. Raises Unreachable, NotAdmitted, BodyRefused, Behind."""

    def ask_time(self) -> str | None:
        """The service's `Date`. Raises Unreachable."""

    def give_back(self, facility: int) -> Given | None:
        """Show a log what it lost, if it did. Raises Unreachable, LogRefused."""


class HttpTransport:
    """Sends by HTTP, with a signer's headers."""

    def __init__(self, web: Web, signer: Signer) -> None:
        self._web, self._signer = web, signer

    def send(self, flight: Flight) -> Answered:
        """Send a body. Raises Unreachable, NotAdmitted, BodyRefused, Behind."""
        path = self._web.path_of(PATH)
        headers = self._signer.headers(flight, path=path, content_type=CONTENT_TYPE)
        try:
            answer = self._web.ask("POST", PATH, body=flight.body, headers=headers)
        except BROKEN as error:
            raise Unreachable(f"no answer from {self._web.url}: {_said(error)}") from error
        if answer.status == http.HTTPStatus.CONFLICT and _code(answer) == AFTER_WRONG:
            document = as_object(read_json(answer.body))
            raise Behind(_detail(answer), self._signer.begin_behind(flight, document))
        _require_ok(answer)
        try:
            document = as_object(read_json(answer.body))
            results = [_result(as_object(each)) for each in as_list(document["results"])]
        except (ValueError, TypeError, KeyError) as error:
            raise Unreachable(f"{self._web.url} answers what no Rentroll would") from error
        if len(results) != len(flight.seqs):
            raise Unreachable(f"{self._web.url} answers {len(results)} of {len(flight.seqs)}")
        receipt = self._signer.receipt(flight, document, results)
        off_s = 0 if receipt is None else self._signer.off_s(receipt)
        return Answered(results, receipt, answer.headers.get("date"), off_s)

    def ask_time(self) -> str | None:
        """The service's `Date`. Raises Unreachable."""
        try:
            return self._web.ask("GET", "/health").headers.get("date")
        except BROKEN as error:
            raise Unreachable(f"no answer from {self._web.url}: {_said(error)}") from error

    def give_back(self, facility: int) -> Given | None:
        """Show a log what it lost, if it did. Raises Unreachable, LogRefused."""
        return give_back(self._web, self._signer, facility)

    def abort(self) -> None:
        """From another thread: a request that waits fails now."""
        self._web.abort()

    def close(self) -> None:
        """Close the connection."""
        self._web.close()

    def check_key(self, facility: int) -> None:
        """Have the service judge an empty body, which records nothing.

        Raises:  Unreachable, NotAdmitted, BodyRefused.
        """
        flight = Flight("", self._signer.author, facility, (), b"[]", b"")
        path = self._web.path_of(f"{PATH}/check")
        headers = self._signer.headers(flight, path=path, content_type=CONTENT_TYPE)
        try:
            answer = self._web.ask("POST", f"{PATH}/check", body=flight.body, headers=headers)
        except BROKEN as error:
            raise Unreachable(f"no answer from {self._web.url}: {_said(error)}") from error
        _require_ok(answer)


def _result(said: dict[str, object]) -> Result:
    status, code, detail = as_text(said["status"]), said.get("code"), said.get("detail")
    if status not in _STATUSES:
        # Of a newer service: nobody knows whether it is recorded, so it is kept, and shown.
        word = f"the service says {status[:80]!r}, which this version does not know"
        return Result("rejected", _UNKNOWN, word)
    return Result(
        status,
        code if isinstance(code, str) else "",
        detail if isinstance(detail, str) else "",
        known=said.get("known") is True,
    )


def _require_ok(answer: Answer) -> None:
    """Raise what an answer means that is not 200."""
    status = answer.status
    if status == http.HTTPStatus.OK:
        return
    detail = f"{status} {_detail(answer)}".strip()
    if _code(answer) == _LOG_BEHIND:
        raise LogLacks(detail, retry_after_s=_retry_after_s(answer))
    if status in _WAIT or status >= http.HTTPStatus.INTERNAL_SERVER_ERROR:
        raise Unreachable(detail, retry_after_s=_retry_after_s(answer))
    if status in _CONDEMNED:
        raise BodyRefused(detail)
    if _code(answer) == _KEY_UNKNOWN:
        raise KeyNotKnown(detail)
    # 401 and 403; and what a wrong URL answers, which condemns no event.
    raise NotAdmitted(detail)


def _code(answer: Answer) -> object:
    try:
        return as_object(read_json(answer.body)).get("code")
    except (ValueError, TypeError):
        return None


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
