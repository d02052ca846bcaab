"""Leases from a CSV file: the first terms of each, judged as if they came by a route."""

import re
from collections.abc import Iterator

from api.domain.hashing import sha256
from api.domain.metering.events import LEASE_TERMS
from api.domain.metering.instants import format_instant
from api.domain.units import FacilityId
from api.errors import InvalidInput, RowRefused
from api.ledger.importers.pipeline import Told
from api.ledger.importers.rows import Refused
from api.ledger.importers.tables import Cells, Source, Table
from api.ledger.importers.times import Times, open_zone

# Of events that are made of rows, by whoever reads them: a second run makes duplicates.
SOURCE = "import/leases"
NEEDED = ("lease_id", "renter_ref", "from", "price_micros_per_gpu_hour")
OPTIONAL = ("until", "max_gpus", "committed_gpus", "minimum_micros_per_month")
_NUMBER = re.compile(r"\d{1,15}", re.ASCII)


class LeasesReader:
    """Reads leases. zone: of times without an offset; then a date alone is its first second."""

    def __init__(self, facility_id: FacilityId, *, zone: str | None = None) -> None:
        self._facility_id = facility_id
        opened = None if zone is None else open_zone(zone)
        self._times = Times(opened, dates=True)

    def rows(self, source: Source) -> Iterator[Told | Refused]:
        """An event for each row. Raises InvalidInput naming a column that is missing or unknown."""
        table = Table(source, NEEDED)
        unknown = [name for name in table.header if name and name not in NEEDED + OPTIONAL]
        if unknown:
            known = ", ".join(NEEDED + OPTIONAL)
            message = f"{source.name} has column {unknown[0][:40]!r}; known are {known}"
            raise InvalidInput(message, field="columns")
        for cells in table.rows():
            if isinstance(cells, Refused):
                yield cells
                continue
            lease_id = cells.get("lease_id")
            try:
                yield Told(cells.line, lease_id, self._event(cells))
            except RowRefused as error:
                yield Refused(cells.line, error.reason, error.message, lease_id)

    def _event(self, cells: Cells) -> dict[str, object]:
        lease_id = cells.need("lease_id")
        from_s = self._times.start_s(cells.need("from"), field="from")
        start = format_instant(from_s)
        price = _integer(cells, "price_micros_per_gpu_hour")
        data: dict[str, object] = {
            "facility_id": self._facility_id,
            "lease_id": lease_id,
            "renter_ref": cells.need("renter_ref"),
            "version": 1,
            "from": start,
            "prices": [{"from": start, "price": price}],
        }
        if cells.get("until"):
            data["until"] = format_instant(self._times.end_s(cells.get("until"), field="until"))
        if cells.get("max_gpus"):
            data["max_gpus"] = _integer(cells, "max_gpus")
        if cells.get("committed_gpus"):
            gpus = _integer(cells, "committed_gpus")
            data["commitment"] = [{"from": start, "gpus": gpus}] if gpus else []
        if cells.get("minimum_micros_per_month"):
            data["minimum"] = _integer(cells, "minimum_micros_per_month")
        return {
            "specversion": "1.0",
            "id": sha256(lease_id.encode())[:20].hex(),
            "source": SOURCE,
            "type": LEASE_TERMS,
            "data": data,
        }


def _integer(cells: Cells, column: str) -> int:
    text = cells.need(column)
    if not _NUMBER.fullmatch(text):
        message = f"{column} is no whole number: {text[:40]!r}; write it without separators"
        raise RowRefused("not_a_number", f"{message} or decimals")
    return int(text)
