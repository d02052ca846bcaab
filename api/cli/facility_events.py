"""One facility's events over the API: searched, looked ahead, sent."""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from urllib.parse import quote

from api.cli.operator_client import OperatorClient, operator_client
from api.domain.json_text import as_list, as_object, as_text, read_json
from api.errors import InvalidInput, NotFound

# Source of events that are sent from here.
SOURCE = "rentroll:cli"
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


class FacilityEvents:
    """The routes of one facility's events and prices."""

    def __init__(self, client: OperatorClient, facility_id: int) -> None:
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
            page = self._client.get_object(f"{self._console}/events", values)
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
        return self._look(f"{self._console}/events/preview", events)

    def send(self, events: Sequence[object]) -> Shown:
        """Send events; each is answered."""
        return self._client.post("/v1/events", events)

    def preview_price(self, lease_id: str, price: Mapping[str, object]) -> Shown:
        """What a price would change."""
        lease = quote(lease_id, safe="")
        return self._look(f"{self._console}/leases/{lease}/prices/preview", price)

    def set_price(self, lease_id: str, price: Mapping[str, object]) -> Shown:
        """Set a price."""
        lease = quote(lease_id, safe="")
        return self._client.post(f"{self._facility}/leases/{lease}/prices", price)

    def _look(self, path: str, body: object) -> Shown:
        """Ask for a preview, and again while its books are made ready, part by part."""
        for _ in range(_MOST_PARTS):
            found = self._client.post(path, body)
            if found["unforeseen"] != "preparing":
                break
        return found


@contextmanager
def facility_events(
    facility_id: int, *, api_url: str | None, api_key: str
) -> Iterator[FacilityEvents]:
    """Events of a facility at an API; None: that of the settings."""
    with operator_client(api_url, api_key=api_key) as client:
        yield FacilityEvents(client, facility_id)


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
