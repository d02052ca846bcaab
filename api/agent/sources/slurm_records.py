"""What Slurm's prolog wrote: which devices a job got on a node. One small file a run and node.

A record is lines of `name=value`: `job`, `node`, `time`, and `gpus`, names of devices with spaces
between. Its file is called `<job>@<node>@<time>` and appears whole: the prolog writes another name
first.
"""

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from api.domain.devices import check_device
from api.errors import DeviceNameRefused

_MOST_BYTES = 65_536
# The controller's clock says when a job starts, the node's when its prolog runs.
_EARLY_S = 120


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a job, as accounting has it. end_s: None while it lasts."""

    job: str
    start_s: int
    end_s: int | None


class Records:
    """The folder of records, listed once a poll."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._times: dict[tuple[str, str], list[int]] = {}

    def look(self) -> None:
        """List the folder. Raises OSError."""
        times: dict[tuple[str, str], list[int]] = defaultdict(list)
        for path in self._folder.iterdir():
            job, _, rest = path.name.partition("@")
            node, _, time = rest.partition("@")
            if time.isascii() and time.isdigit():
                times[job, node].append(int(time))
        self._times = dict(times)

    def of(self, run: Run, node: str) -> tuple[str, ...] | None:
        """Devices of a run on a node; None where no record is of that run.

        A job that is run again under its number has a record of each run: the last one that was
        written while the run lasted counts.
        Raises:  ValueError for a broken record.
        """
        fits = [
            time
            for time in self._times.get((run.job, node), [])
            if time >= run.start_s - _EARLY_S and (run.end_s is None or time <= run.end_s)
        ]
        return self._read(run.job, node, max(fits)) if fits else None

    def purge(self, *, before_s: int) -> None:
        """Remove records that were written before then."""
        for (job, node), times in self._times.items():
            for time in times:
                if time < before_s:
                    (self._folder / f"{job}@{node}@{time}").unlink(missing_ok=True)

    def _read(self, job: str, node: str, time: int) -> tuple[str, ...]:
        name = f"{job}@{node}@{time}"
        try:
            with (self._folder / name).open("rb") as file:
                text = file.read(_MOST_BYTES).decode()
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"record {name} cannot be read: {error}") from error
        fields = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
        if fields.get("job") != job or fields.get("node") != node:
            raise ValueError(f"record {name} speaks of another job or node")
        try:
            devices = tuple(check_device(each) for each in fields.get("gpus", "").split())
        except DeviceNameRefused as error:
            raise ValueError(f"record {name}: {error.message}") from error
        if len(set(devices)) != len(devices):
            raise ValueError(f"record {name} names a device twice")
        return devices
