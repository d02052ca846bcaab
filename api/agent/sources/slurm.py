"""Slurm: jobs of `sacct`, and the devices that the prolog wrote down for each.

sacct counts a job's GPUs and does not name them; the prolog names them and knows no end. Together
they say who held what. What one of both does not say is reported, and billed to nobody.
Source: Slurm's manual of slurm.conf(5), 24.11, read 2026-11-30; `api.domain.slurm`.
"""

import os
import re
import subprocess
from datetime import UTC, datetime

from api.agent.book import Round, Use
from api.agent.failures import SourceFailed
from api.agent.leases import Holder
from api.agent.settings import SlurmSettings
from api.agent.sources.slurm_records import Records, Run
from api.agent.spool import Problem
from api.domain.metering.instants import format_instant
from api.domain.slurm import expand_nodes, gpus_of, is_present

KIND = "slurm"
COLUMNS = (
    *("JobIDRaw", "Account", "User", "Partition", "State", "Start", "End", "Suspended"),
    *("NodeList", "AllocTRES"),
)
_TIMEOUT_S = 120
_NO_TIME = re.compile(r"[0:.-]*", re.ASCII)


class SlurmSource:
    """Polls sacct. The cursor is the time of the last poll that was kept."""

    def __init__(self, settings: SlurmSettings) -> None:
        self._settings = settings
        self.records = Records(settings.records)
        self._running: subprocess.Popen[str] | None = None
        self._over = False

    def read(self, now_s: int, cursor: str | None) -> Round:
        """Jobs that ran at some time since the cursor. Raises SourceFailed."""
        since_s = now_s - self._settings.first_s if cursor is None else int(cursor)
        # Accounting hears of ends late.
        rows = self._rows(min(since_s, now_s) - self._settings.overlap_s)
        try:
            self.records.look()
        except OSError as error:
            raise SourceFailed(f"{self._settings.records}: {error.strerror}") from error
        turn = _Turn(self._settings, self.records)
        for row in rows:
            turn.take(row)
        return Round(now_s, turn.uses, turn.ends, cursor=str(now_s), problems=turn.problems)

    def abort(self) -> None:
        """From another thread: stop a sacct that is still working, and each that begins later."""
        self._over = True
        self._kill()

    def _kill(self) -> None:
        running = self._running
        if running is not None:
            running.kill()

    def _rows(self, since_s: int) -> list[dict[str, str]]:
        command = [
            *self._settings.command,
            *("--allusers", "--allocations", "--duplicates", "--parsable2"),
            *("--starttime", format_instant(since_s).removesuffix("Z")),
            *("--endtime", "now"),
            *("--format", ",".join(COLUMNS)),
        ]
        # Times of UTC, in which no hour happens twice.
        environment = {**os.environ, "TZ": "UTC", "SLURM_TIME_FORMAT": "standard"}
        try:
            self._running = subprocess.Popen(
                command,
                env=environment,
                text=True,
                errors="replace",
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            # Looked at behind the start: `abort` kills a process, or is seen here.
            if self._over:
                self._kill()
            output, said = self._running.communicate(timeout=_TIMEOUT_S)
        except (OSError, subprocess.TimeoutExpired) as error:
            self._kill()
            raise SourceFailed(f"{command[0]}: {error}") from error
        if self._running.returncode != 0:
            raise SourceFailed(f"{command[0]}: {said.strip()[:300] or 'failed'}")
        return read_rows(output)


def read_rows(text: str) -> list[dict[str, str]]:
    """Rows of `sacct --parsable2`. Raises SourceFailed for what is no such table."""
    lines = text.splitlines()
    header = lines[0].split("|") if lines else []
    missing = [name for name in COLUMNS if name not in header]
    if missing:
        raise SourceFailed(f"sacct prints no column {missing[0]}")
    rows = []
    for line in lines[1:]:
        cells = line.split("|")
        if len(cells) != len(header):
            raise SourceFailed(f"a row of sacct has {len(cells)} cells: {line[:100]!r}")
        rows.append(dict(zip(header, cells, strict=True)))
    return rows


class _NotBilled(Exception):
    """Something about a job is not known: it is reported, and billed to nobody."""

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(detail)
        self.kind = kind


class _Turn:
    """Rows of one poll, one by one."""

    def __init__(self, settings: SlurmSettings, records: Records) -> None:
        self._settings, self._records = settings, records
        self.uses: list[Use] = []
        self.ends: dict[str, int] = {}
        self.problems: list[Problem] = []

    def take(self, row: dict[str, str]) -> None:
        """A job's row: its uses, or the problem that keeps it from being billed."""
        job = row["JobIDRaw"]
        try:
            self._take(row, job)
        except _NotBilled as error:
            self.problems.append(Problem(error.kind, job, str(error)))
        except ValueError as error:
            # A record, or a list of nodes, that cannot be read.
            self.problems.append(Problem("unreadable", job, str(error)))

    def _take(self, row: dict[str, str], job: str) -> None:
        if "." in job or not is_present(row["Start"]) or not is_present(row["NodeList"]):
            # A step, or a job that never ran.
            return
        gpus = _count(row["AllocTRES"])
        nodes = expand_nodes(row["NodeList"])
        own = [node for node in nodes if self._settings.node in ("", node)]
        if gpus == 0 or not own:
            return
        start_s = _seconds(row["Start"])
        end_s = _seconds(row["End"]) if is_present(row["End"]) else None
        if row["State"].startswith("SUSPENDED") or not _NO_TIME.fullmatch(row["Suspended"]):
            message = "it was stopped for a while, and nothing says when: not billed from then on"
            raise _NotBilled("suspended", message)
        run = Run(job, start_s, end_s)
        # A job that Slurm runs again keeps its number: the start tells the runs apart.
        named = f"{job}@{start_s}"
        if end_s is not None:
            self.ends[named] = end_s
        held: list[str] = []
        missing = []
        for node in own:
            devices = self._records.of(run, node)
            if devices is None:
                missing.append(node)
            else:
                held += devices
        if missing:
            where = ", ".join(missing[:5])
            raise _NotBilled("gpus_unknown", f"{gpus} GPUs, and no record of the prolog on {where}")
        if len(own) == len(nodes) and len(held) != gpus:
            raise _NotBilled("gpu_count", f"records name {len(held)} GPUs, sacct counts {gpus}")
        holder = Holder(account=row["Account"], user=row["User"], partition=row["Partition"])
        self.uses += [Use(named, device, start_s, end_s, holder) for device in held]


def _count(tres: str) -> int:
    gpus = gpus_of(tres)
    if gpus is None:
        raise _NotBilled("gpu_shared", f"the job holds parts of GPUs: {tres[:100]}")
    return gpus


def _seconds(text: str) -> int:
    """UTC seconds of a time as sacct prints it in UTC, or of seconds."""
    if text.isascii() and text.isdigit():
        return int(text)
    try:
        moment = datetime.strptime(text, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC)
    except ValueError as error:
        raise _NotBilled("time_unreadable", f"{text[:40]!r}") from error
    return int(moment.timestamp())
