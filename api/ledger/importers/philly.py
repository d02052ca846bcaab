"""Use of devices from Microsoft's Philly job table, `cluster_job_log`: a JSON list of jobs.

Each attempt of a job names machines and their GPUs, and has local times without an offset.
Source: msr-fiddle/philly-traces; Jeon et al., USENIX ATC '19. The trace's series of utilisation
are marked PST and PDT, so the times of its jobs are read as those of Los Angeles.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from api.errors import RowRefused
from api.ledger.importers.json_rows import json_rows
from api.ledger.importers.mapping import MappingFile
from api.ledger.importers.rows import NOTHING, LeftOut, Refused, Row, Usage
from api.ledger.importers.tables import Cells, Source

ZONE = "America/Los_Angeles"
_ABSENT = frozenset({"", "none", "null"})
_OF_JOB = ("jobid", "vc", "user", "status")


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One attempt of a job, numbered from 1."""

    line: int
    job: str
    lease: str
    start: str
    end: str
    detail: object


class PhillyReader:
    """Reads use from a Philly job table. Raises InvalidInput naming the key of the mapping."""

    def __init__(self, mapping: Path, *, zone: str = ZONE) -> None:
        read = MappingFile(mapping)
        read.only("time", "lease", "devices")
        self._leases, self._devices, self._times = read.leases(), read.devices(), read.times(zone)

    def rows(self, source: Source) -> Iterator[Row]:
        """Rows of a file: one for each GPU of each attempt, by the line on which its job begins.

        Raises:  InvalidInput where the file is no list of JSON.
        """
        for line, value in json_rows(source):
            if not isinstance(value, dict):
                yield Refused(
                    line, "row_malformed", "a job is a JSON object, of text that UTF-8 can carry"
                )
                continue
            yield from self._job(line, value)

    def _job(self, line: int, job: Mapping[str, object]) -> Iterator[Row]:
        cells = Cells(line, {name: _text(job.get(name)) for name in _OF_JOB})
        name = cells.get("jobid")
        attempts = job.get("attempts")
        try:
            if not name:
                raise RowRefused("field_missing", "jobid is empty")
            if not isinstance(attempts, list):
                raise RowRefused("row_malformed", "attempts is no list")
            lease = self._leases.of(cells)
        except RowRefused as error:
            yield Refused(line, error.reason, error.message, name)
            return
        if lease is None or not attempts:
            yield LeftOut(line, "never_started" if lease else "not_rented")
            return
        for number, attempt in enumerate(attempts, start=1):
            label = f"{name}/{number}"
            try:
                if not isinstance(attempt, dict):
                    raise RowRefused("row_malformed", "an attempt is a JSON object")
                start, end = (_text(attempt.get(f"{at}_time")) for at in ("start", "end"))
                detail = attempt.get("detail")
                yield from self._attempt(_Attempt(line, label, lease, start, end, detail))
            except RowRefused as error:
                yield Refused(line, error.reason, error.message, label)

    def _attempt(self, attempt: _Attempt) -> list[Row]:
        places = _places(attempt.detail)
        has_start, has_end = (t.lower() not in _ABSENT for t in (attempt.start, attempt.end))
        if not places:
            return [LeftOut(attempt.line, "no_gpu" if has_start else "never_started")]
        if not has_start:
            raise RowRefused("start_missing", "start_time is None")
        if not has_end:
            raise RowRefused("still_running", "end_time is None: still running, or not logged")
        if len(set(places)) != len(places):
            raise RowRefused("gpu_repeated", "the attempt names a GPU twice")
        start_s = self._times.start_s(attempt.start, field="start_time")
        end_s = self._times.end_s(attempt.end, field="end_time")
        devices = [
            self._devices.at(node, gpu=gpu, span=(start_s, end_s)) or NOTHING
            for node, gpu in places
        ]
        return [
            LeftOut(attempt.line, "other_facility")
            if device == NOTHING
            else Usage(attempt.line, attempt.job, device, attempt.lease, start_s, end_s)
            for device in devices
        ]


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _places(detail: object) -> list[tuple[str, str]]:
    """`(machine, GPU)` that an attempt names. Raises RowRefused."""
    places = []
    for part in detail if isinstance(detail, list) else [None]:
        gpus = part.get("gpus") if isinstance(part, dict) else None
        machine = _text(part.get("ip")) if isinstance(part, dict) else ""
        if not isinstance(gpus, list) or not machine or not all(map(_text, gpus)):
            raise RowRefused("row_malformed", "detail is no list of ip and gpus")
        places += [(machine, _text(gpu)) for gpu in gpus]
    return places
