"""The mapping file of an import: which device sits where, whose a row is, how times are written.

TOML. A key that is not known is an error, so that a misspelt one is never silently left out.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from api.domain.devices import check_device
from api.domain.metering.instants import parse_instant
from api.errors import InvalidInput, RowRefused
from api.ledger.importers.places import Devices, Stay, find_double
from api.ledger.importers.rows import NOTHING
from api.ledger.importers.tables import SEPARATORS, Cells
from api.ledger.importers.times import ISO, Times, check_form, open_zone

MAX_BYTES = 64 * 1024 * 1024
# What a row of a CSV file is made of, by the keys of [columns] and [constants].
CSV_FIELDS = ("job", "device", "node", "gpu", "start", "end", "duration", "lease")
_EVER = "1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z"
_CONSTANTS = ("device", "node", "gpu", "lease")


@dataclass(frozen=True, slots=True)
class Leases:
    """Whose a row is: one lease for all, or by a column and, if given, a list of its values."""

    one: str | None = None
    column: str | None = None
    by_value: Mapping[str, str] | None = None

    def of(self, cells: Cells) -> str | None:
        """The lease of a row; None if it is rented to nobody. Raises RowRefused."""
        if self.one is not None:
            return self.one
        assert self.column is not None
        value = cells.get(self.column)
        if not value:
            raise RowRefused("lease_unknown_here", f"{self.column} is empty")
        lease = value if self.by_value is None else self.by_value.get(value)
        if lease is None:
            message = f"the mapping has no lease for {self.column} {value[:60]!r}"
            raise RowRefused("lease_unknown_here", message)
        return None if lease == NOTHING else lease


@dataclass(frozen=True, slots=True)
class FileForm:
    """How a CSV file is written. separator: None to take the one that gives all columns."""

    encoding: str = "utf-8-sig"
    separators: tuple[str, ...] = SEPARATORS


@dataclass(frozen=True, slots=True)
class CsvFields:
    """Where a row of a CSV file says what: columns by field, and values that all rows share."""

    columns: Mapping[str, str]
    constants: Mapping[str, str]

    def has(self, name: str) -> bool:
        """Whether rows have a field."""
        return name in self.columns or name in self.constants

    def of(self, cells: Cells, name: str) -> str:
        """A field of a row. Raises RowRefused if it is empty."""
        constant = self.constants.get(name)
        return cells.need(self.columns[name]) if constant is None else constant


class MappingFile:
    """A mapping file that was read; each importer asks for the parts that it needs.

    Raises:  InvalidInput naming the key.
    """

    def __init__(self, path: Path) -> None:
        self._name = path.name
        try:
            with path.open("rb") as file:
                text = file.read(MAX_BYTES + 1)
            if len(text) > MAX_BYTES:
                raise InvalidInput(f"{path.name} has more than {MAX_BYTES} bytes", field="mapping")
            self._tables = tomllib.loads(text.decode("utf-8-sig").replace("\r\n", "\n"))
        except (OSError, ValueError, RecursionError) as error:
            raise InvalidInput(f"{path.name} is no TOML: {error}", field="mapping") from error

    def leases(self) -> Leases:
        """`[lease]`: `id`, or `column` with or without `[lease.by]`."""
        table = self._table("lease", {"id", "column", "by"})
        one, column = self._text(table, "lease.id"), self._text(table, "lease.column")
        if (one is None) == (column is None):
            raise self._wrong(
                "lease", why="say id for one lease, or column for the column that tells"
            )
        by = table.get("by")
        if by is None:
            return Leases(one, column)
        if column is None:
            raise self._wrong("lease.by", why="goes with lease.column")
        return Leases(one, column, self._texts(by, "lease.by"))

    def devices(self) -> Devices:
        """`[devices.NODE]` with a device by each place, and `complete`."""
        table = dict(self._table("devices", None))
        complete = table.pop("complete", False)
        if not isinstance(complete, bool):
            raise self._wrong("devices.complete", why="must be true or false")
        places: dict[str, dict[str, tuple[Stay, ...]]] = {}
        for node, gpus in table.items():
            if not isinstance(gpus, dict):
                raise self._wrong(f"devices.{node}", why="must be a table")
            places[node] = {
                gpu: self._stays(said, f"devices.{node}.{gpu}") for gpu, said in gpus.items()
            }
        stays = [stay for gpus in places.values() for own in gpus.values() for stay in own]
        twice = find_double(stays)
        if twice is not None:
            why = f"{twice[1].device} is also {twice[0].place}"
            raise self._wrong(twice[1].place, why=why)
        return Devices(places, complete)

    def _stays(self, said: object, key: str) -> tuple[Stay, ...]:
        """A device for all the time, or a list of devices with from and until."""
        rows = said if isinstance(said, list) else [{"device": said}]
        stays = [self._stay(row, key) for row in rows]
        stays.sort(key=lambda stay: stay.from_s)
        if not stays or any(a.until_s > b.from_s for a, b in pairwise(stays)):
            raise self._wrong(key, why="one device at a time: its from and until overlap another's")
        return tuple(stays)

    def _stay(self, row: object, key: str) -> Stay:
        if not isinstance(row, dict) or not {"device"} <= row.keys() <= {"device", "from", "until"}:
            raise self._wrong(key, why="must be a device, or a list of {device, from, until}")
        try:
            device = self._text(row, f"{key}.device") or ""
            if device != NOTHING:
                check_device(device)
            from_s = parse_instant(self._text(row, f"{key}.from") or _EVER[0], field="from")
            until_s = parse_instant(self._text(row, f"{key}.until") or _EVER[1], field="until")
        except InvalidInput as error:
            raise self._wrong(key, why=error.message) from error
        if from_s >= until_s:
            raise self._wrong(key, why="from must be before until")
        return Stay(device, from_s=from_s, until_s=until_s, place=key)

    def times(self, zone: str | None = None) -> Times:
        """`[time]`: `timezone`, `format`, `fractions`. zone: named beside the file; it wins."""
        table = self._table("time", {"timezone", "format", "fractions"})
        name = zone or self._text(table, "time.timezone")
        fractions = self._text(table, "time.fractions") or "refuse"
        if fractions not in ("refuse", "inward"):
            raise self._wrong("time.fractions", why='must be "refuse" or "inward"')
        form = check_form(self._text(table, "time.format") or ISO)
        opened = None if name is None else open_zone(name)
        return Times(opened, form, inward=fractions == "inward")

    def file_form(self) -> FileForm:
        """`[file]`: `encoding`, `separator`."""
        table = self._table("file", {"encoding", "separator"})
        encoding = self._text(table, "file.encoding") or "utf-8-sig"
        separator = self._text(table, "file.separator")
        if separator is not None and separator not in SEPARATORS:
            raise self._wrong("file.separator", why="must be one of , ; | and the tabulator")
        return FileForm(encoding, SEPARATORS if separator is None else (separator,))

    def csv_fields(self) -> CsvFields:
        """`[columns]` and `[constants]` of a CSV file of use."""
        table = self._table("columns", set(CSV_FIELDS) - {"lease"})
        columns = self._texts(table, "columns")
        named = self._table("constants", set(_CONSTANTS) - {"lease"})
        fields = CsvFields(columns, self._texts(named, "constants"))
        if not fields.has("device") and not (fields.has("node") and fields.has("gpu")):
            raise self._wrong("columns", why="say device, or node and gpu")
        if "start" not in columns or ("end" in columns) == ("duration" in columns):
            raise self._wrong("columns", why="say start, and either end or duration")
        return fields

    def text(self, table: str, *, key: str) -> str | None:
        """The one key that a table may have, or None."""
        return self._text(self._table(table, {key}), f"{table}.{key}")

    def only(self, *tables: str) -> None:
        """Refuse tables that an importer does not know."""
        unknown = sorted(set(self._tables) - set(tables))
        if unknown:
            raise self._wrong(unknown[0], why=f"is not known here; known are {', '.join(tables)}")

    def _table(self, name: str, known: set[str] | None) -> Mapping[str, object]:
        table = self._tables.get(name, {})
        if not isinstance(table, dict):
            raise self._wrong(name, why="must be a table")
        unknown = [] if known is None else sorted(table.keys() - known)
        if unknown:
            message = f"is not known; known are {', '.join(sorted(known or ()))}"
            raise self._wrong(f"{name}.{unknown[0]}", why=message)
        return table

    def _text(self, table: Mapping[str, object], key: str) -> str | None:
        value = table.get(key.rpartition(".")[2])
        if value is not None and (not isinstance(value, str) or not value):
            raise self._wrong(key, why="must be text in quotes")
        return value

    def _texts(self, table: object, key: str) -> Mapping[str, str]:
        if not isinstance(table, dict):
            raise self._wrong(key, why="must be a table")
        for name in table:
            if self._text(table, f"{key}.{name}") is None:
                raise self._wrong(f"{key}.{name}", why="must be text in quotes")
        return table

    def _wrong(self, key: str, *, why: str) -> InvalidInput:
        return InvalidInput(f"{self._name}: {key[:120]}: {why}", field="mapping")
