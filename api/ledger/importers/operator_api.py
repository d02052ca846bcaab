"""The routes that an importer uses, as an operator's client: it waits where the service asks it."""

import time
from http import HTTPStatus

import httpx

from api.domain.json_text import as_list, as_object, read_json
from api.errors import AppError, ChainUnavailable, NotFound

# The most events of one request: docs of `POST /v1/events`.
BATCH = 1_000
_PAGE = 1_000
_ATTEMPTS, _LONGEST_WAIT_S = 6, 60
_BUSY = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)


class OperatorApi:
    """The routes that an importer uses."""

    def __init__(self, base_url: str, *, api_key: str) -> None:
        headers = {"Authorization": f"Bearer {api_key}"}
        self._client = httpx.Client(base_url=base_url, headers=headers, timeout=120)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def post(self, path: str, body: object) -> dict[str, object]:
        """POST JSON. Raises AppError with the problem's detail, ChainUnavailable if silent."""
        return as_object(self._request("POST", path, body))

    def get(self, path: str) -> object:
        """GET JSON. Raises as `post` does."""
        return self._request("GET", path, None)

    def facilities(self) -> list[dict[str, object]]:
        """Registered facilities, however many pages of them there are."""
        found: list[dict[str, object]] = []
        while True:
            path = f"/v1/facilities?offset={len(found)}&limit={_PAGE}"
            page = [as_object(x) for x in as_list(self.get(path))]
            found += page
            if len(page) < _PAGE:
                return found

    def _request(self, method: str, path: str, body: object) -> object:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                answer = self._client.request(method, path, json=body)
                content = read_json(answer.content)
            except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
                raise ChainUnavailable(f"no Rentroll API answers {path}") from error
            if answer.status_code not in _BUSY or attempt == _ATTEMPTS:
                break
            time.sleep(_wait_s(answer.headers.get("retry-after", "")))
        if not answer.is_error:
            return content
        detail = as_object(content).get("detail")
        if answer.status_code == HTTPStatus.NOT_FOUND:
            raise NotFound(f"{path}: {detail}")
        raise AppError(f"{path}: {answer.status_code} {detail}", http_status=answer.status_code)


def _wait_s(retry_after: str) -> int:
    """Seconds that an answer asks a client to wait, within bounds."""
    asked_s = int(retry_after) if retry_after.isascii() and retry_after.isdigit() else 1
    return min(max(asked_s, 1), _LONGEST_WAIT_S)
