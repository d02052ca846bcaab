"""The client of commands that ask the service over HTTP: waits, and what it says of failures."""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from api.cli import operator_client as clients
from api.cli.operator_client import OperatorClient
from api.errors import AppError, ChainUnavailable, InvalidInput, NotFound
from tests.integration.service import NO_CHAIN, serving


class Far:
    """The far side: gives the answers of a list, one after the other."""

    def __init__(self) -> None:
        self.app, self.answers, self.bodies = FastAPI(), list[Response](), list[object]()
        self.app.post("/v1/events", response_model=None)(self._answer)

    def _answer(self, body: dict[str, object]) -> Response:
        self.bodies.append(body)
        return self.answers.pop(0)


@pytest.fixture
def far() -> Far:
    """A service that answers what a test wants."""
    return Far()


@pytest.fixture
def client(far: Far) -> Iterator[OperatorClient]:
    """A client of it."""
    with serving(far.app) as port:
        client = OperatorClient(f"http://127.0.0.1:{port}", api_key=" key\n")
        yield client
        client.close()


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that the client waited, without waiting."""
    waited: list[float] = []
    monkeypatch.setattr(clients.time, "sleep", waited.append)
    return waited


def test_post__service_is_busy__waits_as_asked_and_sends_the_same_again(
    far: Far, client: OperatorClient, waits: list[float]
) -> None:
    far.answers = [
        JSONResponse({}, 429, {"Retry-After": "7"}),
        JSONResponse({}, 503, {"Retry-After": "9999"}),
        JSONResponse({}, 503, {"Retry-After": "soon"}),
        JSONResponse({"accepted": 1}),
    ]

    answer = client.post("/v1/events", {"id": "e1"})

    assert answer == {"accepted": 1}
    assert waits == [7, 60, 1]
    assert far.bodies == [{"id": "e1"}] * 4


def test_post__service_stays_busy__gives_up_with_its_words(
    far: Far, client: OperatorClient, waits: list[float]
) -> None:
    far.answers = [JSONResponse({"detail": "too many"}, 429)] * 6

    with pytest.raises(AppError, match="/v1/events: 429 too many"):
        client.post("/v1/events", {})

    assert waits == [1] * 5


@pytest.mark.parametrize(
    ("answer", "kind", "message"),
    [
        (JSONResponse({"detail": "no such"}, 404), NotFound, "/v1/events: 404 no such"),
        (JSONResponse({"detail": "unknown"}, 401), AppError, "401 unknown: check --api-key or RE"),
        (JSONResponse({"detail": "no scope"}, 403), AppError, "no scope: `rentroll keys list`"),
        (JSONResponse({}, 500), AppError, "500 without a reason"),
        (JSONResponse([1], 400), AppError, "no answer of a Rentroll API"),
        (JSONResponse([1]), AppError, "no answer of a Rentroll API"),
        (PlainTextResponse("<html>"), ChainUnavailable, "no Rentroll API answers /v1/events at ht"),
        (Response(status_code=302), ChainUnavailable, "check --api-url"),
    ],
)
def test_post__other_answers__are_said_with_what_to_do(
    far: Far, client: OperatorClient, answer: Response, kind: type[AppError], message: str
) -> None:
    far.answers = [answer]

    with pytest.raises(kind) as refused:
        client.post("/v1/events", {})

    assert type(refused.value) is kind
    assert message in refused.value.message


def test_post__nobody_there__is_unreachable() -> None:
    with pytest.raises(ChainUnavailable, match="no Rentroll API answers /v1/events"):
        OperatorClient(NO_CHAIN, api_key="k").post("/v1/events", {})


@pytest.mark.parametrize(
    ("url", "key", "field"),
    [
        ("localhost:8000", "k", "api_url"),
        ("", "k", "api_url"),
        ("http://a b:port", "k", "api_url"),
        ("http://a", "", "api_key"),
        ("http://a", "k\u00e9y", "api_key"),
        ("http://a", "two keys", "api_key"),
    ],
)
def test_client__no_url_or_key__is_named_and_no_key_is_shown(
    url: str, key: str, field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        OperatorClient(url, api_key=key)

    assert refused.value.context["field"] == field
    assert key == "k" or not key or key not in refused.value.message


def test_post__what_is_no_json__is_refused_before_it_is_sent() -> None:
    with pytest.raises(InvalidInput, match="cannot be sent as JSON"):
        OperatorClient(NO_CHAIN, api_key="k").post("/v1/events", {"n": 2**70})
