"""What every import does with rows: events in batches to the service, and an answer for each row.

An event's id is made of what the row says it is about, so a second run makes duplicates only, and
a run that was cut short is finished by the same command.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from api.domain.hashing import device_hash, sha256
from api.domain.json_text import as_list, as_object
from api.domain.metering import rejections
from api.domain.metering.events import USAGE
from api.domain.metering.facts import Held, Place
from api.domain.metering.instants import format_instant, format_span
from api.domain.metering.taken import Taken
from api.domain.units import ZERO32, Bytes32, FacilityId
from api.errors import AppError
from api.ledger.importers import rows as files
from api.ledger.importers.rows import LeftOut, Refused, Row, Usage
from api.ledger.importers.service import ServiceApi

# The most events of one request: docs of `POST /v1/events`.
BATCH = 1_000
_SEND, CHECK = "/v1/events", "/v1/events/check"
ID_CONFLICT = "id_conflict"
_TO_DO: Mapping[str, str] = {
    USAGE: "it was imported otherwise before: if the row is right now, send a correction with"
    " action replace or void that names this source and id",
}
_OTHER_TO_DO = "it was imported otherwise before: agree a new version of the lease's terms"


@dataclass(frozen=True, slots=True)
class Told:
    """An event made of a row. usage: of what it says, if it is use."""

    line: int
    job: str
    event: Mapping[str, object]
    usage: Usage | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """A row, or an event of one, that was refused, and why. source, id: of its event, if any."""

    line: int
    reason: str
    detail: str
    job: str = ""
    device: str = ""
    start: str = ""
    end: str = ""
    source: str = ""
    id: str = ""


@dataclass(slots=True)
class Summary:
    """What an import did, or would do: events, and rows that made none, by reason."""

    dry_run: bool
    accepted: int = 0
    duplicates: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)
    accepted_gpu_seconds: int = 0

    @property
    def answered(self) -> int:
        """Events and rows of which it is known what becomes of them."""
        return self.accepted + self.duplicates + sum(self.refused.values())


def to_do(reason: str) -> str:
    """What to do about a refused row; empty for a reason that is not known here."""
    return files.TO_DO.get(reason) or rejections.TO_DO.get(reason, "")


def usage_told(usage: Usage, facility_id: FacilityId, *, source: str) -> Told:
    """The event of a use. Its id is made of job, device and start: a job id alone comes again."""
    identity = json.dumps([usage.job, usage.device, usage.start_s], separators=(",", ":"))
    event = {
        "specversion": "1.0",
        "id": sha256(identity.encode())[:20].hex(),
        "source": source,
        "type": USAGE,
        "datacontenttype": "application/json",
        "data": {
            "facility_id": facility_id,
            "device": usage.device,
            "lease": usage.lease,
            "start": format_instant(usage.start_s),
            "end": format_instant(usage.end_s),
            "gpu_seconds": usage.end_s - usage.start_s,
        },
    }
    return Told(usage.line, usage.job, event, usage)


def told_of(
    rows: Iterator[Row], facility_id: FacilityId, *, source: str
) -> Iterator[Told | Refused | LeftOut]:
    """Events of the rows that say use; the others as they are."""
    for row in rows:
        yield usage_told(row, facility_id, source=source) if isinstance(row, Usage) else row


class Import:
    """One run over a file, or over one of several that are counted together.

    Args:    summary: what is counted, and whether it is a dry run.
             on_problem: called for each refused row, in the order of the file.
             on_batch: called after each answer of the service.
    """

    def __init__(
        self,
        api: ServiceApi,
        *,
        summary: Summary,
        on_problem: Callable[[Problem], None],
        on_batch: Callable[[], None] = lambda: None,
    ) -> None:
        self._api, self._on_problem, self._on_batch = api, on_problem, on_batch
        self._path = CHECK if summary.dry_run else _SEND
        self._checked = _Checked() if summary.dry_run else None
        self.summary = summary

    def run(self, rows: Iterator[Told | Refused | LeftOut]) -> Summary:
        """Send every row, one batch after the other, so that of two that clash the first is taken.

        Raises:  AppError of the file or the service. What was answered before stays recorded.
        """
        waiting: list[Told | Refused] = []
        for row in rows:
            if isinstance(row, LeftOut):
                _count(self.summary.left_out, row.reason)
                continue
            waiting.append(row)
            if len(waiting) == BATCH:
                self._send(waiting)
                waiting = []
        self._send(waiting)
        return self.summary

    def _send(self, batch: list[Told | Refused]) -> None:
        """Send what says something, and note all answers in the order of the rows."""
        events = [row.event for row in batch if isinstance(row, Told)]
        results = iter(self._answers(events) if events else [])
        for row in batch:
            if isinstance(row, Told):
                self._note(row, next(results))
            else:
                self._refuse(Problem(row.line, row.reason, row.detail, row.job))
        self._on_batch()

    def _answers(self, events: list[Mapping[str, object]]) -> list[Mapping[str, object]]:
        answer = self._api.post(self._path, events)
        try:
            results = [as_object(result) for result in as_list(answer["results"])]
            statuses = [result["status"] for result in results]
        except (KeyError, TypeError, ValueError) as error:
            raise AppError(f"{self._path}: this is no answer of a Rentroll API") from error
        if len(statuses) != len(events):
            raise AppError(f"the service answered {len(statuses)} of {len(events)} events")
        return list(results)

    def _note(self, told: Told, result: Mapping[str, object]) -> None:
        status, code = result["status"], str(result.get("code") or "")
        detail = str(result.get("detail") or "")
        if self._checked is not None and status == "accepted":
            status, code, detail = self._checked.judge(told)
        if status == "accepted":
            self.summary.accepted += 1
            if told.usage is not None:
                self.summary.accepted_gpu_seconds += told.usage.end_s - told.usage.start_s
        elif status == "duplicate":
            self.summary.duplicates += 1
        else:
            if code == ID_CONFLICT:
                detail = _TO_DO.get(str(told.event["type"]), _OTHER_TO_DO)
            self._refuse(_problem(told, code, detail=detail))

    def _refuse(self, problem: Problem) -> None:
        _count(self.summary.refused, problem.reason)
        self._on_problem(problem)


def _count(counts: dict[str, int], reason: str) -> None:
    counts[reason] = counts.get(reason, 0) + 1


def _problem(told: Told, reason: str, *, detail: str) -> Problem:
    usage, event = told.usage, told.event
    names = str(event["source"]), str(event["id"])
    if usage is None:
        return Problem(told.line, reason, detail, told.job, "", "", "", *names)
    span = format_instant(usage.start_s), format_instant(usage.end_s)
    return Problem(told.line, reason, detail, told.job, usage.device, *span, *names)


class _Checked:
    """What earlier batches of a dry run would have recorded, by the rules of the ledger's judge.

    It is kept in memory: some hundred bytes a row.
    """

    def __init__(self) -> None:
        self._said: dict[object, object] = {}
        self._used: dict[Bytes32, Taken] = {}
        self._count = 0

    def judge(self, told: Told) -> tuple[str, str, str]:
        """Status, code and detail of an event that the service would accept by itself."""
        identity, said = told.event["id"], told.event["data"]
        if identity in self._said:
            same = self._said[identity] == hash(json.dumps(said, sort_keys=True))
            return ("duplicate", "", "") if same else ("rejected", ID_CONFLICT, "")
        usage = told.usage
        if usage is not None:
            device = device_hash(usage.device)
            taken = self._used.setdefault(device, Taken())
            clash = taken.conflict((usage.start_s, usage.end_s))
            if clash is not None:
                between = f"from {format_span(clash)}"
                return "rejected", "overlap", f"device is already in use {between}"
            self._count += 1
            place = Place(0, self._count)
            taken.add(Held(place, device, ZERO32, usage.start_s, usage.end_s))
        self._said[identity] = hash(json.dumps(said, sort_keys=True))
        return "accepted", "", ""
