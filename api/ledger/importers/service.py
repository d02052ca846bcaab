"""What importers ask of the service: its routes, by whoever holds an operator's key."""

from typing import Protocol

from api.domain.json_text import as_list, as_object

_PAGE = 1_000


class ServiceApi(Protocol):
    """The API as one operator's. Both raise AppError with what the service answers."""

    def post(self, path: str, body: object, /) -> dict[str, object]:
        """POST JSON; the object that is answered."""

    def get(self, path: str, /) -> object:
        """GET JSON."""


def registered_facilities(api: ServiceApi) -> list[dict[str, object]]:
    """Registered facilities, however many pages of them there are."""
    found: list[dict[str, object]] = []
    while True:
        path = f"/v1/facilities?offset={len(found)}&limit={_PAGE}"
        page = [as_object(x) for x in as_list(api.get(path))]
        found += page
        if len(page) < _PAGE:
            return found
