"""Use of devices from Slurm's accounting, as `sacct --parsable2` prints it.

sacct counts a job's GPUs and does not name them. They are known where a column holds their numbers,
or where the job held every GPU of its nodes; otherwise the row is refused.
Source: `api.domain.slurm`.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from api.domain import slurm
from api.domain.metering.intervals import Span
from api.errors import InvalidInput, RowRefused
from api.ledger.importers.mapping import MappingFile
from api.ledger.importers.rows import NOTHING, LeftOut, Refused, Row, Usage
from api.ledger.importers.tables import Cells, Source, Table
from api.ledger.importers.times import EPOCH_S, Times, duration_s

_WANTED = ("Start", "End", "NodeList", "AllocTRES")
# `scontrol show job -d`: nodes of a group, then the numbers of what each of them gave.
_SCONTROL = re.compile(r"\bNodes=(\S+)|\bgpu(?::[\w.+-]+)*\(IDX:([0-9,-]+)\)", re.ASCII)
_SHORT = re.compile(r"([\w.-]+):([0-9][0-9,-]*)", re.ASCII)


class SacctReader:
    """Reads use from sacct. Raises InvalidInput naming the key of the mapping."""

    def __init__(self, mapping: Path, *, zone: str | None = None) -> None:
        read = MappingFile(mapping)
        read.only("sacct", "time", "lease", "devices")
        self._gpus_column = read.text("sacct", key="gpus")
        self._leases, self._devices = read.leases(), read.devices()
        self._times, self._epoch = read.times(zone), Times(form=EPOCH_S)
        self._counted = self._uncounted = 0

    def rows(self, source: Source) -> Iterator[Row]:
        """Rows of a file: one for each GPU of each job.

        Raises:  InvalidInput naming a column that the file lacks, or if no row counts GPUs.
        """
        columns = [*_WANTED, *filter(None, (self._leases.column, self._gpus_column))]
        table = Table(source, list(dict.fromkeys(columns)), separators=("|",), quoted=False)
        if not {"JobIDRaw", "JobID"} & set(table.header):
            raise InvalidInput(f"{source.name} has no column 'JobIDRaw'", field="columns")
        for cells in table.rows():
            if isinstance(cells, Refused):
                yield cells
                continue
            job = cells.get("JobIDRaw") or cells.get("JobID")
            try:
                yield from self._row(cells, job)
            except RowRefused as error:
                yield Refused(cells.line, error.reason, error.message, job)
        if self._uncounted and not self._counted:
            message = "no row counts GPUs: is gres/gpu in the cluster's AccountingStorageTRES?"
            raise InvalidInput(f"{source.name}: {message}", field="AllocTRES")

    def _row(self, cells: Cells, job: str) -> list[Row]:
        """What a row says; refused as a whole, so that no part of a job is billed by itself."""
        if not job:
            raise RowRefused("field_missing", "JobIDRaw is empty")
        if "." in job:
            return [LeftOut(cells.line, "step")]
        started, ran = _present(cells, "Start"), _present(cells, "NodeList")
        if not ran:
            return [LeftOut(cells.line, "never_started")]
        if not started:
            raise RowRefused("start_missing", "Start is unknown, and NodeList names nodes")
        gpus = self._count(cells.need("AllocTRES"))
        if gpus == 0:
            self._uncounted += 1
            return [LeftOut(cells.line, "no_gpu")]
        self._counted += 1
        lease = self._leases.of(cells)
        if lease is None:
            return [LeftOut(cells.line, "not_rented")]
        start_s, end_s = span = self._interval(cells)
        return [
            LeftOut(cells.line, "other_facility")
            if device == NOTHING
            else Usage(cells.line, job, device, lease, start_s, end_s)
            for device in self._held(cells, gpus, span)
        ]

    def _count(self, tres: str) -> int:
        """GPUs of a job: the total, or the sum by type. Raises RowRefused `gpu_shared`."""
        gpus = slurm.gpus_of(tres)
        if gpus is None:
            raise RowRefused("gpu_shared", f"AllocTRES has parts of GPUs: {tres[:100]}")
        return gpus

    def _interval(self, cells: Cells) -> tuple[int, int]:
        if not _present(cells, "End"):
            raise RowRefused("still_running", "End is unknown: the job is running, or was lost")
        start_s = self._time(cells.get("Start")).start_s(cells.get("Start"), field="Start")
        end_s = self._time(cells.get("End")).end_s(cells.get("End"), field="End")
        if _present(cells, "Suspended") and _length_s(cells, "Suspended"):
            text = cells.get("Suspended")
            raise RowRefused("suspended", f"Suspended is {text[:40]}, and nothing says when")
        for column in ("ElapsedRaw", "Elapsed"):
            if _present(cells, column) and _length_s(cells, column) != end_s - start_s:
                message = f"{column} is {cells.get(column)[:40]}, from Start to End are"
                raise RowRefused("elapsed_mismatch", f"{message} {end_s - start_s} s")
        return start_s, end_s

    def _time(self, text: str) -> Times:
        # SLURM_TIME_FORMAT="%s"
        return self._epoch if text.isascii() and text.isdigit() else self._times

    def _held(self, cells: Cells, gpus: int, span: Span) -> list[str]:
        """Devices that a job held. Raises RowRefused where that is not known."""
        nodes = _nodes(cells.get("NodeList"))
        column = self._gpus_column
        if column is not None and _present(cells, column):
            numbers = _numbers(cells.get(column), nodes)
            if numbers:
                self._check_numbers(numbers, gpus, column=column)
                return self._at([(n, gpu) for n, own in numbers.items() for gpu in own], span)
        places = [(node, gpu) for node in nodes for gpu in self._devices.of_node(node)]
        if self._devices.complete and len(places) == gpus:
            return self._at(places, span)
        message = f"{gpus} GPUs of {cells.get('NodeList')[:60]}, and nothing says which"
        if not self._devices.complete:
            message += "; devices.complete is not true, so a whole node is not known either"
        raise RowRefused("gpus_unknown", message)

    def _at(self, places: list[tuple[str, str]], span: Span) -> list[str]:
        return [self._devices.at(node, gpu=gpu, span=span) or NOTHING for node, gpu in places]

    def _check_numbers(self, numbers: Mapping[str, list[str]], gpus: int, *, column: str) -> None:
        if any(len(set(own)) != len(own) for own in numbers.values()):
            raise RowRefused("gpu_repeated", f"{column} names a GPU twice")
        named = sum(map(len, numbers.values()))
        if named != gpus:
            message = f"{column} names {named} GPUs, AllocTRES counts {gpus}"
            raise RowRefused("gpu_count_mismatch", message)


def _present(cells: Cells, column: str) -> bool:
    return slurm.is_present(cells.get(column))


def _length_s(cells: Cells, column: str) -> int:
    return duration_s(cells.get(column), field=column)


def _nodes(text: str) -> list[str]:
    return _expanded(slurm.expand_nodes, text)


def _numbers_of(text: str) -> list[str]:
    return _expanded(slurm.expand_numbers, text)


def _expanded(expand: Callable[[str], list[str]], text: str) -> list[str]:
    """A list, written out. Raises RowRefused."""
    try:
        return expand(text)
    except ValueError as error:
        raise RowRefused("field_missing", str(error)) from error


def _numbers(text: str, nodes: list[str]) -> Mapping[str, list[str]]:
    """GPUs by node, of `scontrol show job -d`, `node:0-1 node:3`, or, on one node, `0,1`.

    Nothing where the text says no numbers. Raises RowRefused where it names another node.
    """
    found: dict[str, list[str]] = {}
    if "Nodes=" in text:
        group: list[str] = []
        for match in _SCONTROL.finditer(text):
            if match[1] is not None:
                group = _nodes(match[1])
                continue
            for node in group:
                found.setdefault(node, []).extend(_numbers_of(match[2]))
    elif re.fullmatch(r"[0-9][0-9,-]*", text, re.ASCII):
        if len(nodes) > 1:
            raise RowRefused("gpus_unknown", f"{text[:40]!r} does not say of which node")
        found[nodes[0]] = _numbers_of(text)
    else:
        for part in re.split(r"[\s;]+", text.strip(" ;")):
            short = _SHORT.fullmatch(part)
            if short is None:
                return {}
            found.setdefault(short[1], []).extend(_numbers_of(short[2]))
    strange = sorted(set(found) - set(nodes))
    if strange:
        message = f"node {strange[0][:60]!r} is not in NodeList"
        raise RowRefused("gpu_count_mismatch", message)
    return found
