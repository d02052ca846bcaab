"""Sightings: since when each device is seen without a gap, told every so often."""

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from api.agent import events
from api.agent.events import Evidence, NewEvent
from api.agent.spool import Problem, Spool, append, note_problems


@dataclass(frozen=True, slots=True)
class Reading:
    """What a source measured of a device: evidence, never billed. What it did not say is None.

    energy_mj: a counter that only rises, in millijoules.
    """

    utilisation_ppm: int | None = None
    energy_mj: int | None = None
    ecc_uncorrected: int | None = None
    xid: int | None = None


@dataclass(slots=True)
class _Gathered:
    """Evidence of a device since its last event. Lost by a crash: it bills nothing."""

    utilisation_ppm: int = 0
    measured: int = 0
    first_mj: int | None = None
    last_mj: int | None = None
    # The counter fell: the driver was loaded anew, and some energy is in no event.
    energy_gap: bool = False
    ecc_uncorrected: int | None = None
    xid: int | None = None

    def add(self, reading: Reading) -> None:
        if reading.utilisation_ppm is not None:
            self.utilisation_ppm += reading.utilisation_ppm
            self.measured += 1
        energy_mj = reading.energy_mj
        if energy_mj is not None:
            if self.last_mj is not None and energy_mj < self.last_mj:
                self.energy_gap = True
                self.first_mj = energy_mj
            if self.first_mj is None:
                self.first_mj = energy_mj
            self.last_mj = energy_mj
        if reading.ecc_uncorrected is not None:
            self.ecc_uncorrected = reading.ecc_uncorrected
        if reading.xid:
            self.xid = reading.xid

    def told(self) -> Evidence:
        """Attributes of an event, by their names there."""
        said: dict[str, str | int | bool] = {}
        if self.measured:
            said["utilisationppm"] = self.utilisation_ppm // self.measured
        if self.first_mj is not None and self.last_mj is not None:
            # Text: attributes hold integers of 32 bits, and a counter passes them in a day.
            said["energymj"] = str(self.last_mj - self.first_mj)
            said["energycountermj"] = str(self.last_mj)
        if self.energy_gap:
            said["energygap"] = True
        if self.ecc_uncorrected is not None and self.ecc_uncorrected < 1 << 31:
            said["eccuncorrected"] = self.ecc_uncorrected
        if self.xid is not None and self.xid < 1 << 31:
            said["xid"] = self.xid
        return said

    def next(self) -> "_Gathered":
        """What begins where this one ends: energy is counted on without a gap."""
        return _Gathered(first_mj=self.last_mj, last_mj=self.last_mj)


@dataclass(frozen=True, slots=True)
class Look:
    """What a source saw at one time: devices that are alive, and what it measured of them."""

    at_s: int
    devices: Mapping[str, Reading] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()


class Sightings:
    """Turns looks into `seen` events. One for each source that sees devices."""

    def __init__(
        self,
        spool: Spool,
        source: str,
        *,
        facility_of: Callable[[str], int | None],
        tell_every_s: int,
        gap_s: int,
        lost: bool = False,
    ) -> None:
        """gap_s: two looks further apart than this do not make one sighting.

        lost: what is seen is that the device is lost. That is told as an outage.
        """
        self._spool, self._source, self._facility_of = spool, source, facility_of
        self._lost = lost
        self._kept_as = f"{source}/lost" if lost else source
        self._tell_every_s, self._gap_s = tell_every_s, gap_s
        self._gathered: dict[str, _Gathered] = {}

    def take(self, look: Look, *, now_s: int) -> int:
        """Keep a look, and spool what is due. Returns how many events.

        Raises:  SpoolFailed; then nothing of it is kept.
        """
        at_s = min(look.at_s, now_s)
        told: list[NewEvent] = []
        finished: list[str] = []
        with self._spool.write() as db:
            rows = db.execute(
                "SELECT device, start_s, until_s FROM sightings WHERE source = ?",
                (self._kept_as,),
            )
            kept = {device: (start_s, until_s) for device, start_s, until_s in rows}
            changed = []
            for device in look.devices:
                start_s, until_s = kept.pop(device, (at_s, at_s))
                if at_s - until_s > self._gap_s:
                    self._tell(db, told, finished, device, (start_s, until_s), at_s)
                    start_s = at_s
                elif at_s - start_s >= self._tell_every_s:
                    self._tell(db, told, finished, device, (start_s, at_s), at_s)
                    start_s = at_s
                # A clock that was put back changes nothing that was seen.
                if at_s >= until_s:
                    changed.append((self._kept_as, device, start_s, at_s))
            for device, (start_s, until_s) in kept.items():
                if at_s - until_s > self._gap_s:
                    self._tell(db, told, finished, device, (start_s, until_s), at_s)
                    db.execute(
                        "DELETE FROM sightings WHERE source = ? AND device = ?",
                        (self._kept_as, device),
                    )
            db.executemany(
                "INSERT INTO sightings VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
                " start_s = excluded.start_s, until_s = excluded.until_s",
                changed,
            )
            count = append(db, told, now_s=now_s)
            if look.problems:
                note_problems(db, self._source, look.problems, now_s=now_s)
        for device in finished:
            if device in self._gathered:
                self._gathered[device] = self._gathered[device].next()
        for device, reading in look.devices.items():
            self._gathered.setdefault(device, _Gathered()).add(reading)
        return count

    def _tell(
        self,
        db: sqlite3.Connection,
        told: list[NewEvent],
        finished: list[str],
        device: str,
        span: tuple[int, int],
        at_s: int,
    ) -> None:
        finished.append(device)
        facility = self._facility_of(device)
        if facility is None or span[1] <= span[0]:
            return
        muted = db.execute("SELECT until_s FROM muted WHERE device = ?", (device,)).fetchone()
        if muted is not None and muted[0] > at_s:
            return
        if self._lost:
            told.append(self._failed(db, facility, device, span))
            return
        gathered = self._gathered.get(device)
        told.append(
            events.seen(
                facility,
                self._source,
                device=device,
                start_s=span[0],
                end_s=span[1],
                evidence=gathered.told() if gathered else {},
            )
        )

    def _failed(
        self, db: sqlite3.Connection, facility: int, device: str, span: tuple[int, int]
    ) -> NewEvent:
        """An outage, kept from the lease that holds the device by our own book."""
        row = db.execute(
            "SELECT lease FROM allocations WHERE device = ? AND over_s IS NULL", (device,)
        ).fetchone()
        return events.failed(
            facility,
            self._source,
            device=device,
            lease="" if row is None else row[0],
            start_s=span[0],
            end_s=span[1],
            reason="the driver says that the GPU is lost",
        )
