"""Use of devices from a CSV file of anybody's, by a mapping that says which column is what."""

from collections.abc import Iterator
from pathlib import Path

from api.domain.metering.intervals import Span
from api.errors import RowRefused
from api.ledger.importers.mapping import CsvFields, Leases, MappingFile
from api.ledger.importers.places import Devices
from api.ledger.importers.rows import LeftOut, Refused, Row, Usage
from api.ledger.importers.tables import Cells, Source, Table
from api.ledger.importers.times import Times, duration_s

_TABLES = ("columns", "constants", "file", "time", "lease", "devices")


class CsvReader:
    """Reads use from CSV. Raises InvalidInput naming the key of the mapping."""

    def __init__(self, mapping: Path, *, zone: str | None = None) -> None:
        read = MappingFile(mapping)
        read.only(*_TABLES)
        self._fields: CsvFields = read.csv_fields()
        self._leases: Leases = read.leases()
        self._devices: Devices = read.devices()
        self._times: Times = read.times(zone)
        self.form = read.file_form()

    def rows(self, source: Source) -> Iterator[Row]:
        """Rows of a file. Raises InvalidInput naming a column that the file lacks."""
        wanted = [*self._fields.columns.values()]
        if self._leases.column is not None:
            wanted.append(self._leases.column)
        table = Table(source, list(dict.fromkeys(wanted)), separators=self.form.separators)
        for cells in table.rows():
            yield cells if isinstance(cells, Refused) else self._row(cells)

    def _row(self, cells: Cells) -> Row:
        job = cells.get(self._fields.columns["job"]) if "job" in self._fields.columns else ""
        try:
            lease = self._leases.of(cells)
            if lease is None:
                return LeftOut(cells.line, "not_rented")
            start_s, end_s = self._interval(cells)
            device = self._device(cells, (start_s, end_s))
            if device is None:
                return LeftOut(cells.line, "other_facility")
        except RowRefused as error:
            return Refused(cells.line, error.reason, error.message, job)
        return Usage(cells.line, job, device, lease, start_s, end_s)

    def _device(self, cells: Cells, span: Span) -> str | None:
        """What the file calls a device, if it does: whether it is one, the judge says."""
        if self._fields.has("device"):
            return self._fields.of(cells, "device")
        node, gpu = (self._fields.of(cells, name) for name in ("node", "gpu"))
        return self._devices.at(node, gpu=gpu, span=span)

    def _interval(self, cells: Cells) -> tuple[int, int]:
        columns = self._fields.columns
        start_s = self._times.start_s(cells.need(columns["start"]), field=columns["start"])
        if "duration" in columns:
            text = cells.need(columns["duration"])
            return start_s, start_s + duration_s(text, field=columns["duration"])
        if not cells.get(columns["end"]):
            raise RowRefused("still_running", f"{columns['end']} is empty")
        return start_s, self._times.end_s(cells.get(columns["end"]), field=columns["end"])
