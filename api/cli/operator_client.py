"""The API with an operator's key: one client for every command that asks the service over HTTP.

It waits where the service asks it to, and says of each failure what was asked and what to do.
"""

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus

import httpx
import orjson

from api.cli.environment import settings
from api.domain.json_text import as_object, read_json
from api.errors import AppError, ChainUnavailable, InvalidInput, NotFound

# An answer may take long: of a thousand events, or of a preview of long books.
_TIMEOUT = httpx.Timeout(120, connect=10)
_ATTEMPTS, _LONGEST_WAIT_S = 6, 60
_BUSY = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
_JSON = {"Content-Type": "application/json"}
# By the code of a refusal, or else by its status.
_TO_DO: Mapping[object, str] = {
    "key_unknown": ": `rentroll ledger-key name` prints what the operator's wallet sends to name"
    " it; it counts once that block is final",
    "signature_wrong": ": is a proxy in between that changes paths?",
    "signature_malformed": ": check this machine's clock, and proxies in between",
    "log_behind": ": `rentroll ledger-key give-back` shows what this key has receipts of",
    HTTPStatus.UNAUTHORIZED: ": check --api-key or RENTROLL_OPERATOR_KEY",
    HTTPStatus.FORBIDDEN: ": `rentroll keys list` shows what a key may do",
}


class OperatorClient:
    """Requests of one operator. Raises InvalidInput for what is no URL or no key."""

    def __init__(self, base_url: str, *, api_key: str) -> None:
        key = api_key.strip()
        # Of any other text httpx would say that the request was wrong, and quote it.
        if not re.fullmatch(r"[!-~]+", key):
            message = "the API key has characters that no key has: copy it again"
            raise InvalidInput(message, field="api_key")
        if not re.match(r"https?://[^/]", base_url):
            message = f"{base_url!r} is no URL of an API: it begins with http:// or https://"
            raise InvalidInput(message, field="api_url")
        headers = {"Authorization": f"Bearer {key}"}
        try:
            self._client = httpx.Client(base_url=base_url, headers=headers, timeout=_TIMEOUT)
        except httpx.InvalidURL as error:
            raise InvalidInput(f"{base_url!r} is no URL: {error}", field="api_url") from error

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def post(self, path: str, body: object, /) -> dict[str, object]:
        """POST JSON. Raises NotFound, AppError with the answer's detail, ChainUnavailable."""
        try:
            content = orjson.dumps(body)
        except TypeError as error:
            raise InvalidInput(f"this cannot be sent as JSON: {error}", field="body") from error
        request = self._client.build_request("POST", path, content=content, headers=_JSON)
        return self._object(path, self._answered(request))

    def path_of(self, path: str) -> str:
        """A path below the API's URL, as a request names it: what is signed."""
        return self._client.build_request("POST", path).url.raw_path.decode("ascii")

    def post_bytes(
        self, path: str, content: bytes, headers: Mapping[str, str]
    ) -> tuple[int, dict[str, object]]:
        """POST bytes as they are; what is answered with 200 or 409. Raises as `post` does."""
        request = self._client.build_request("POST", path, content=content, headers=headers)
        status, answer = self._sent(request)
        said = self._object(path, answer)
        if status not in (HTTPStatus.OK, HTTPStatus.CONFLICT) or (
            status == HTTPStatus.CONFLICT and "receipt" not in said
        ):
            raise _refusal(path, status, said)
        return status, said

    def post_lines(self, path: str, content: bytes, headers: Mapping[str, str]) -> object:
        """POST bytes as they are; what is answered with success. Raises as `post` does."""
        return self._answered(
            self._client.build_request("POST", path, content=content, headers=headers)
        )

    def get(self, path: str, /, values: Mapping[str, str] | None = None) -> object:
        """GET JSON. Raises as `post` does."""
        return self._answered(self._client.build_request("GET", path, params=values))

    def get_object(self, path: str, /, values: Mapping[str, str]) -> dict[str, object]:
        """GET a JSON object. Raises as `post` does."""
        return self._object(path, self.get(path, values))

    def _answered(self, request: httpx.Request) -> object:
        """What is answered, at last, with success."""
        status, content = self._sent(request)
        if status >= HTTPStatus.MULTIPLE_CHOICES:
            path = request.url.path
            raise _refusal(path, status, self._object(path, content))
        return content

    def _sent(self, request: httpx.Request) -> tuple[int, object]:
        """Status and answer, at last. A request that was refused as busy did nothing."""
        path = request.url.path
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                answer = self._client.send(request)
                content = read_json(answer.content)
            except (httpx.HTTPError, ValueError) as error:
                message = f"no Rentroll API answers {path} at {self._client.base_url}"
                raise ChainUnavailable(f"{message}: check --api-url") from error
            if answer.status_code not in _BUSY or attempt == _ATTEMPTS:
                break
            time.sleep(_wait_s(answer.headers.get("retry-after", "")))
        return answer.status_code, content

    def _object(self, path: str, content: object) -> dict[str, object]:
        try:
            return as_object(content)
        except TypeError as error:
            raise AppError(f"{path}: this is no answer of a Rentroll API") from error


def _refusal(path: str, status: int, problem: Mapping[str, object]) -> AppError:
    said = f"{path}: {status} {problem.get('detail') or 'without a reason'}"
    if status == HTTPStatus.NOT_FOUND:
        return NotFound(said)
    to_do = _TO_DO.get(problem.get("code")) or _TO_DO.get(status, "")
    return AppError(said + to_do)


def _wait_s(retry_after: str) -> int:
    """Seconds that an answer asks a client to wait, within bounds."""
    asked_s = int(retry_after) if retry_after.isascii() and retry_after.isdigit() else 1
    return min(max(asked_s, 1), _LONGEST_WAIT_S)


@contextmanager
def operator_client(api_url: str | None, *, api_key: str) -> Iterator[OperatorClient]:
    """A client of an API; None: that of the settings."""
    client = OperatorClient(api_url or settings().api_url, api_key=api_key)
    try:
        yield client
    finally:
        client.close()
