"""Recompute: a statement from raw events and published terms alone, as every attester does."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from api.domain.facility import FacilityTerms, Period
from api.domain.hashing import salted_hash
from api.domain.json_text import as_integer, as_list, as_object, as_text, read_json
from api.domain.lifecycle import Reopening, cut_off_s, open_epoch, sealed_from_s
from api.domain.metering.events import CorrectionEvent, OutageEvent, UsageEvent, parse_event
from api.domain.metering.usage import (
    COUNTED_KINDS,
    DELIVERY_KINDS,
    Interval,
    LineKind,
    Outage,
    Placement,
    place_interval,
    usage_kind,
)
from api.domain.statements.closing import ClosedEpoch, close_epoch
from api.domain.statements.entries import Entry
from api.domain.statements.evidence import Carry
from api.domain.statements.rating import LeaseTerms, PricePlan, PriceVersion, check_prices
from api.domain.units import ZERO32, Bytes32, Epoch, Micros
from api.errors import EvidenceInvalid


@dataclass
class RawInput:
    """What an attester is given of one statement: salt, reopenings, leases, raw events."""

    salt: bytes = b""
    grace_s: int = 0
    reopenings: tuple[Reopening, ...] = ()
    leases: list[dict[str, object]] = field(default_factory=list)
    events: list[dict[str, object]] = field(default_factory=list)


def read_input(lines: Iterable[str | bytes]) -> RawInput:
    """Read the NDJSON of the attester route. Raises EvidenceInvalid."""
    raw = RawInput()
    try:
        for line in lines:
            document = as_object(read_json(line))
            if document["type"] == "facility":
                raw.salt = bytes.fromhex(as_text(document["salt"])[2:])
                raw.grace_s = as_integer(document["grace_s"])
                raw.reopenings = tuple(map(_reopening, as_list(document.get("reopenings", []))))
            elif document["type"] == "lease":
                raw.leases.append(document)
            else:
                raw.events.append(document)
    except (ValueError, KeyError, TypeError) as error:
        raise EvidenceInvalid("the attester's input is not readable") from error
    return raw


def _reopening(value: object) -> Reopening:
    epoch, at_s = map(as_integer, as_list(value))
    return Reopening(first_epoch=Epoch(epoch), at_s=at_s)


def _price(value: object) -> PriceVersion:
    version, effective_from_s, price_micros, sla_credit_bps = map(as_integer, as_list(value))
    return PriceVersion(
        version=version,
        effective_from_s=effective_from_s,
        price_micros_per_gpu_hour=Micros(price_micros),
        sla_credit_bps=sla_credit_bps,
    )


def leases_from(raw: RawInput) -> dict[Bytes32, LeaseTerms]:
    """Lease terms with hashes made here from the salt, not taken on trust."""
    leases = {}
    for lease_json in raw.leases:
        prices = tuple(map(_price, as_list(lease_json["prices"])))
        opened_at_s, closed_at_s = as_integer(lease_json["opened_at_s"]), lease_json["closed_at_s"]
        check_prices(prices, opened_at_s=opened_at_s)
        lease = salted_hash(raw.salt, as_text(lease_json["lease_id"]))
        leases[lease] = LeaseTerms(
            lease=lease,
            renter=salted_hash(raw.salt, "renter:" + as_text(lease_json["renter_ref"])),
            plan=PricePlan(as_text(lease_json["plan"])),
            committed_gpus=as_integer(lease_json["committed_gpus"]),
            opened_at_s=opened_at_s,
            closed_at_s=None if closed_at_s is None else as_integer(closed_at_s),
            prices=prices,
        )
    return leases


class Recomputation:
    """Entries and outages of one statement, rebuilt from raw events."""

    def __init__(self, terms: FacilityTerms, period: Period, raw: RawInput) -> None:
        self.terms, self.period, self.epoch, self.raw = terms, period, period.epoch, raw
        self.entries: list[Entry] = []
        self.outages: list[Outage] = []
        self._leases: dict[str, Bytes32] = {}
        self._usage: dict[tuple[str, str], tuple[Entry, Epoch]] = {}
        voids: list[tuple[CorrectionEvent, int]] = []
        seen: set[tuple[str, str]] = set()
        cut_s = cut_off_s(
            period.epoch,
            epoch_end_s=period.over_s,
            grace_s=raw.grace_s,
            reopenings=raw.reopenings,
        )
        for event_json in raw.events:
            recorded_at_s = as_integer(event_json["recorded_at_s"])
            # The service may have heard late that the facility had ended, and recorded more.
            if period.closing and recorded_at_s >= cut_s:
                continue
            event = parse_event(event_json["payload"])
            name = (event.envelope.source, event.envelope.id)
            if name in seen or event.envelope.facility_id != terms.facility_id:
                raise EvidenceInvalid("an event is repeated or of another facility", event=name)
            seen.add(name)
            if isinstance(event, UsageEvent):
                self._usage[name] = self._place_usage(event, recorded_at_s)
            elif isinstance(event, OutageEvent):
                self._take_outage(event, recorded_at_s)
            elif isinstance(event, CorrectionEvent):
                voids.append((event, recorded_at_s))
        self._apply_voids(voids)
        self.entries += [e for e, placed in self._usage.values() if placed == self.epoch]
        if period.closing:
            # The epoch that the end of the facility cut short is stated nowhere.
            self.entries = [e for e in self.entries if e.kind not in COUNTED_KINDS]
            self.outages = []

    def _lease_hash(self, lease_id: str | None) -> Bytes32:
        if lease_id is None:
            return ZERO32
        # Kept: thousands of events name the same few leases.
        lease_hash = self._leases.get(lease_id)
        if lease_hash is None:
            lease_hash = self._leases[lease_id] = salted_hash(self.raw.salt, lease_id)
        return lease_hash

    def _earliest_open(self, recorded_at_s: int) -> Epoch | None:
        return open_epoch(
            self.terms,
            recorded_at_s,
            grace_s=self.raw.grace_s,
            reopenings=self.raw.reopenings,
        )

    def _place(self, interval: Interval, recorded_at_s: int) -> Placement:
        return place_interval(
            self.terms,
            interval,
            recorded_at_s=recorded_at_s,
            earliest_open=self._earliest_open(recorded_at_s),
        )

    def _place_usage(self, event: UsageEvent, recorded_at_s: int) -> tuple[Entry, Epoch]:
        interval = Interval(
            device=event.device_hash,
            lease=self._lease_hash(event.lease_id),
            start_s=event.start_s,
            end_s=event.end_s,
        )
        placement = self._place(interval, recorded_at_s)
        entry = Entry(
            kind=usage_kind(delivery=event.delivery, late=placement.late),
            device=interval.device,
            lease=interval.lease,
            start_s=event.start_s,
            end_s=event.end_s,
        )
        return entry, placement.statement_epoch

    def _take_outage(self, event: OutageEvent, recorded_at_s: int) -> None:
        outage = Outage(
            device=event.device_hash,
            lease=self._lease_hash(event.lease_id),
            start_s=event.start_s,
            end_s=event.end_s,
        )
        placement = self._place(outage, recorded_at_s)
        if placement.late or placement.statement_epoch != self.epoch:
            raise EvidenceInvalid("an outage belongs to another epoch")
        self.outages.append(outage)

    def _apply_voids(self, voids: list[tuple[CorrectionEvent, int]]) -> None:
        """Same rule as ingest: in the record's own statement both vanish, later a VOID line."""
        for event, recorded_at_s in voids:
            target = self._usage.get((event.corrects_source, event.corrects_id))
            current = self._earliest_open(recorded_at_s)
            if target is None or current is None:
                raise EvidenceInvalid("a correction names an event that was not supplied")
            entry, placed = target
            void_epoch = max(current, placed)
            if void_epoch == placed:
                del self._usage[event.corrects_source, event.corrects_id]
            elif entry.kind in DELIVERY_KINDS:
                raise EvidenceInvalid("a correction takes back a delivery that was stated")
            elif recorded_at_s >= sealed_from_s(
                self.terms, entry.start_s, grace_s=self.raw.grace_s
            ):
                raise EvidenceInvalid("a correction takes back what is sealed")
            elif void_epoch == self.epoch:
                self.entries.append(replace(entry, kind=LineKind.VOID))


def recompute(
    terms: FacilityTerms, period: Period, raw: RawInput, *, carry: Carry, previous_hash: Bytes32
) -> ClosedEpoch:
    """Close a period from raw events alone. Raises AppError when the input breaks a rule."""
    rebuilt = Recomputation(terms, period, raw)
    leases = leases_from(raw)
    if not {o.lease for o in rebuilt.outages} <= {ZERO32, *leases}:
        raise EvidenceInvalid("an outage names a lease that was not supplied", field="lease")
    return close_epoch(
        terms,
        period,
        entries=rebuilt.entries,
        outages=rebuilt.outages,
        leases=leases,
        carry=carry,
        previous_statement_hash=previous_hash,
    )
