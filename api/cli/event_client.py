"""An operator's events over the API: searched, looked ahead, sent."""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from urllib.parse import quote

import httpx
import orjson

from api.domain.json_text import as_list, as_object, as_text, read_json
from api.errors import AppError, ChainUnavailable, InvalidInput, NotFound
from api.settings import Settings

# Source of events that are sent from here.
SOURCE = "rentroll:cli"
_BATCH = "application/cloudevents-batch+json"
_PAGE = 100
# So many parts of books at most: each is some seconds of work.
_MOST_PARTS = 100
Shown = dict[str, object]


def new_event(event_type: str, facility_id: int, data: Mapping[str, object]) -> Shown:
    """An event of the operator's own doing, with an id that no other has."""
    return {
        "specversion": "1.0",
        "id": secrets.token_hex(16),
        "source": SOURCE,
        "type": event_type,
        "data": {"facility_id": facility_id, **data},
    }


class EventClient:
    """The API with an operator's key, about one facility."""

    def __init__(self, client: httpx.Client, facility_id: int) -> None:
        self._client = client
        self._console = f"/v1/console/facilities/{facility_id}"
        self._facility = f"/v1/facilities/{facility_id}"

    def search(self, wanted: Mapping[str, object], *, limit: int) -> list[Shown]:
        """At most so many accepted events."""
        found: list[Shown] = []
        before: object = None
        while len(found) < limit:
            asked = {**wanted, "before": before, "limit": min(_PAGE, limit - len(found))}
            values = {name: str(value) for name, value in asked.items() if value is not None}
            page = self._get(f"{self._console}/events", values)
            found += [as_object(event) for event in as_list(page["events"])]
            before = page["next"]
            if before is None:
                break
        return found

    def named(self, event_id: str, source: str | None) -> Shown:
        """The one event of an id. Raises NotFound, InvalidInput where two sources have it."""
        found = self.search({"id": event_id, "source": source}, limit=_PAGE)
        if not found:
            raise NotFound(f"no event {event_id!r} was accepted")
        if len(found) > 1:
            sources = ", ".join(as_text(event["source"]) for event in found)
            raise InvalidInput(f"several sources have that id: {sources}", field="source")
        return found[0]

    def preview(self, events: Sequence[object]) -> Shown:
        """What events would change."""
        return self._look(f"{self._console}/events/preview", events, _BATCH)

    def send(self, events: Sequence[object]) -> Shown:
        """Send events; each is answered."""
        return self._post("/v1/events", events, _BATCH)

    def preview_price(self, lease_id: str, price: Mapping[str, object]) -> Shown:
        """What a price would change."""
        lease = quote(lease_id, safe="")
        return self._look(f"{self._console}/leases/{lease}/prices/preview", price)

    def set_price(self, lease_id: str, price: Mapping[str, object]) -> Shown:
        """Set a price."""
        return self._post(f"{self._facility}/leases/{quote(lease_id, safe='')}/prices", price)

    def _look(self, path: str, body: object, kind: str = "application/json") -> Shown:
        """Ask for a preview, and again while its books are made ready, part by part."""
        for _ in range(_MOST_PARTS):
            found = self._post(path, body, kind)
            if found["unforeseen"] != "preparing":
                break
        return found

    def _get(self, path: str, values: Mapping[str, str]) -> Shown:
        return self._asked(self._client.build_request("GET", path, params=values))

    def _post(self, path: str, body: object, kind: str = "application/json") -> Shown:
        data, headers = orjson.dumps(body), {"Content-Type": kind}
        return self._asked(self._client.build_request("POST", path, content=data, headers=headers))

    def _asked(self, request: httpx.Request) -> Shown:
        path = request.url.path
        try:
            answer = self._client.send(request)
            content = as_object(read_json(answer.content))
        except (httpx.HTTPError, ValueError, TypeError) as error:
            raise ChainUnavailable(f"no Rentroll API answers {path}") from error
        if not answer.is_error:
            return content
        message = f"{answer.status_code} {content.get('detail')}"
        if answer.status_code == HTTPStatus.NOT_FOUND:
            raise NotFound(message)
        raise AppError(message)


@contextmanager
def open_client(
    settings: Settings, facility_id: int, *, api_url: str | None, api_key: str
) -> Iterator[EventClient]:
    """A client of the API of the settings, or of another. Raises InvalidInput for no URL."""
    headers = {"Authorization": f"Bearer {api_key}"}
    try:
        client = httpx.Client(base_url=api_url or settings.api_url, headers=headers, timeout=120)
    except (httpx.InvalidURL, UnicodeEncodeError) as error:
        raise InvalidInput("not the URL and key of an API", field="api_url") from error
    with client:
        yield EventClient(client, facility_id)


def read_events(text: str) -> list[object]:
    """Events of a file: one, or an array. Raises InvalidInput."""
    value = _read(text)
    return value if isinstance(value, list) else [value]


def read_data(text: str) -> Shown:
    """The data of a replacement: an object. Raises InvalidInput."""
    value = _read(text)
    if not isinstance(value, dict):
        raise InvalidInput("the data of a replacement is one JSON object", field="file")
    return value


def _read(text: str) -> object:
    try:
        return read_json(text)
    except ValueError as error:
        raise InvalidInput(f"the file is no JSON: {error}", field="file") from error
