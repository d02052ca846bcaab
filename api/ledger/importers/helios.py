"""The public Helios pool format: one row a minute with running and idle GPUs of a pool.

The trace names no devices, leases or prices. They are assigned: GPU i of a pool is busy in a
minute while more than i GPUs run; its id is a UUID5 stand-in; each pool has one on-demand lease.
It does count idle GPUs every minute, and a pool's running and idle ones are always as many: so all
of its GPUs were seen all the time, and are told so, day by day.
Source: S-Lab-System-Group/HeliosArtifact; Hu et al., SC '21, doi 10.1145/3458817.3476223.
"""

import csv
import gzip
import io
import uuid
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path

from api.domain.metering.events import SEEN, USAGE
from api.domain.metering.instants import format_instant, parse_instant
from api.domain.metering.intervals import Span
from api.domain.units import FacilityId
from api.errors import InvalidInput, NotFound
from api.ledger.importers.pipeline import BATCH

MINUTE_S = 60
HOUR_S = 3_600
DAY_S = 86_400
GPU_CLASS = "UNSTATED"
SITE = "HELIOS-EARTH"
# A round figure near public on-demand offers; the trace itself has no prices.
PRICE_MICROS_PER_GPU_HOUR = 2_000_000
_NAMESPACE = uuid.UUID("6d3f0f0e-5b0c-5d9f-9f0a-0c6f5b1b7a52")
_COLUMNS = ("time", "running_gpu_num", "idle_gpu_num")


@dataclass(frozen=True, slots=True)
class Pool:
    """One pool: capacity in GPUs and the number of running GPUs minute by minute.

    file: name of the file that says so, a minute a row.
    """

    name: str
    capacity: int
    start_s: int
    running: tuple[int, ...]
    file: str = ""

    @property
    def end_s(self) -> int:
        """Second after the last minute."""
        return self.start_s + len(self.running) * MINUTE_S

    @property
    def gpu_minutes(self) -> int:
        """Running GPU-minutes."""
        return sum(self.running)

    @property
    def window_s(self) -> Span:
        """The whole days of the trace, which its facility delivers."""
        days = (self.end_s - self.start_s) // DAY_S
        return self.start_s, self.start_s + days * DAY_S

    def line(self, second: int) -> int:
        """Line of the file that speaks of a second."""
        return 2 + (second - self.start_s) // MINUTE_S

    def device(self, index: int) -> str:
        """Stand-in id of GPU `index`."""
        return f"GPU-{uuid.uuid5(_NAMESPACE, f'{self.name}/{index}')}"


def read_pool(path: Path, *, utc_offset: str = "+00:00") -> Pool:
    """Read one pool file, plain or gzip.

    Args:    utc_offset: offset of the naive local times, for example "+08:00".
    Raises:  InvalidInput naming file and row: missing columns, gaps, changing capacity.
    """
    try:
        raw = path.read_bytes()
        text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("utf-8")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        message = f"{path.name} is no readable CSV or gzip: {error}"
        raise InvalidInput(message, field="file") from error
    reader = csv.DictReader(io.StringIO(text))
    if not set(_COLUMNS) <= set(reader.fieldnames or ()):
        raise InvalidInput(f"{path.name} lacks one of {', '.join(_COLUMNS)}", field="columns")
    running: list[int] = []
    capacity = start_s = 0
    for number, row in enumerate(reader, start=2):
        where = f"{path.name} row {number}"
        try:
            time_s = parse_instant(row["time"].replace(" ", "T") + utc_offset, field=where)
            busy, idle = int(row["running_gpu_num"]), int(row["idle_gpu_num"])
        except (ValueError, TypeError, AttributeError) as error:
            # A row that is too short has None in its last columns.
            message = f"{where}: {', '.join(_COLUMNS)} must be a time and two whole numbers"
            raise InvalidInput(message, field=where) from error
        if not running:
            capacity, start_s = busy + idle, time_s
        if busy < 0 or idle < 0 or busy + idle != capacity:
            message = f"{where}: running and idle GPUs are not {capacity}, as in the first row"
            raise InvalidInput(message, field=where)
        if time_s != start_s + len(running) * MINUTE_S:
            message = f"{where}: a minute is missing or repeated: a row a minute is needed"
            raise InvalidInput(message, field=where)
        running.append(busy)
    if not running:
        raise InvalidInput(f"{path.name} has no rows below its header", field="rows")
    name = path.name.removesuffix(".gz").removesuffix(".csv")
    return Pool(name, capacity, start_s, tuple(running), path.name)


def read_trace(folder: Path, *, utc_offset: str = "+00:00") -> list[Pool]:
    """All pools of a folder, by name. Raises NotFound if there are none."""
    files = sorted([*folder.glob("vc*.csv"), *folder.glob("vc*.csv.gz")])
    if not files:
        raise NotFound(f"no vc*.csv or vc*.csv.gz in {folder}")
    pools = [read_pool(path, utc_offset=utc_offset) for path in files]
    for before, after in pairwise(sorted(pool.name for pool in pools)):
        if before == after:
            raise InvalidInput(f"{after} is there twice, plain and gzip: remove one", field="file")
    return pools


def intervals(pool: Pool) -> Iterator[tuple[int, int, int]]:
    """Merged busy intervals `(gpu, start_s, end_s)`, in order of their end."""
    begun: list[int] = []
    now_s = pool.start_s
    for busy in (*pool.running, 0):
        while len(begun) > busy:
            yield len(begun) - 1, begun.pop(), now_s
        while len(begun) < busy:
            begun.append(now_s)
        now_s += MINUTE_S


def hourly(pool: Pool) -> Iterator[tuple[int, int, int]]:
    """Records `(gpu, start_s, end_s)` of `intervals`, cut at every hour since the trace's start.

    For a trace that starts on the hour they are clock hours. Busy minutes of one GPU in one hour
    that are apart stay apart, as a record is one interval: Helios Earth touches 444,279 pairs of
    device and clock hour with 481,715 records.
    """
    for gpu, start_s, end_s in intervals(pool):
        while start_s < end_s:
            cut_s = min(end_s, start_s - (start_s - pool.start_s) % HOUR_S + HOUR_S)
            yield gpu, start_s, cut_s
            start_s = cut_s


def usage_event(
    pool: Pool, facility_id: FacilityId, *, gpu: int, start_s: int, end_s: int
) -> dict[str, object]:
    """CloudEvent of one record; its id is made from its content, so a repeat is a duplicate."""
    return {
        "specversion": "1.0",
        "id": f"{gpu}-{start_s}",
        "source": f"helios/{pool.name}",
        "type": USAGE,
        "datacontenttype": "application/json",
        "data": {
            "facility_id": facility_id,
            "device": pool.device(gpu),
            "lease": f"{pool.name}-lease",
            "start": format_instant(start_s),
            "end": format_instant(end_s),
            "gpu_seconds": end_s - start_s,
        },
    }


def sightings(pool: Pool) -> Iterator[tuple[int, int, int]]:
    """`(gpu, start_s, end_s)` of every GPU and whole day of the trace: each row counts them all."""
    for start_s in range(pool.start_s, pool.end_s - DAY_S + 1, DAY_S):
        for gpu in range(pool.capacity):
            yield gpu, start_s, start_s + DAY_S


def seen_event(
    pool: Pool, facility_id: FacilityId, *, gpu: int, start_s: int, end_s: int
) -> dict[str, object]:
    """CloudEvent of one GPU that was counted, running or idle."""
    return {
        "specversion": "1.0",
        "id": f"seen-{gpu}-{start_s}",
        "source": f"helios/{pool.name}",
        "type": SEEN,
        "datacontenttype": "application/json",
        "data": {
            "facility_id": facility_id,
            "device": pool.device(gpu),
            "start": format_instant(start_s),
            "end": format_instant(end_s),
        },
    }


def facility_body(pool: Pool) -> dict[str, object]:
    """Facility of a pool: every GPU pledged, one tranche of its whole capacity, daily epochs."""
    start_s, end_s = pool.window_s
    if start_s == end_s:
        raise InvalidInput(
            f"{pool.file or pool.name} is shorter than a day: leave it out", field="rows"
        )
    return {
        "name": f"helios-{pool.name}",
        "gpu_class": GPU_CLASS,
        "site": SITE,
        "window_start": format_instant(start_s),
        "window_end": format_instant(end_s),
        "epoch_length_s": DAY_S,
        "tranches": [{"unit_cap": pool.capacity * ((end_s - start_s) // HOUR_S)}],
        "devices": [pool.device(i) for i in range(pool.capacity)],
    }


def lease_body(pool: Pool) -> dict[str, object]:
    """The one lease of a pool."""
    return {
        "lease_id": f"{pool.name}-lease",
        "renter_ref": f"renter-{pool.name}",
        "plan": "on_demand",
        "opened_at": format_instant(pool.start_s),
        "price_micros_per_gpu_hour": PRICE_MICROS_PER_GPU_HOUR,
    }


def batches(events: Iterator[dict[str, object]]) -> Iterator[list[dict[str, object]]]:
    """Events in lists of at most 1,000."""
    while batch := list(islice(events, BATCH)):
        yield batch
