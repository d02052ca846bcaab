"""Attest: recompute a statement from raw events, compare every byte, and only then sign."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from api.chain.calldata import terms_tuple
from api.chain.signer import LocalSigner
from api.domain.closing import ClosedEpoch, close_epoch
from api.domain.events import CorrectionEvent, OutageEvent, UsageEvent, parse_event
from api.domain.evidence import (
    CARRY_FILE,
    COMMITTED_FILES,
    EMPTY_CARRY,
    FACILITY_FILE,
    MANIFEST_FILE,
    Carry,
    epoch_folder,
    facility_folder,
)
from api.domain.evidence_reader import decode_carry, decode_facility
from api.domain.facility import FacilityTerms
from api.domain.hashing import device_hash, salted_hash
from api.domain.lines import Entry
from api.domain.rating import LeaseTerms, PricePlan, PriceVersion, check_prices
from api.domain.statement import Statement, statement_digest, statement_hash
from api.domain.units import ZERO32, Bytes32, Epoch
from api.domain.usage import (
    Interval,
    LineKind,
    Outage,
    Placement,
    Reopening,
    open_epoch,
    place_interval,
)
from api.errors import AppError, EvidenceInvalid
from api.pipeline.evidence_store import HOSTILE, EvidenceSource
from api.pipeline.pledges import PledgeWatch


@dataclass
class RawInput:
    """What an attester is given of one statement: salt, reopenings, leases, raw events."""

    salt: bytes = b""
    grace_s: int = 0
    reopenings: tuple[Reopening, ...] = ()
    leases: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)


def read_input(lines: Iterable[str | bytes]) -> RawInput:
    """Read the NDJSON of the attester route. Raises EvidenceInvalid."""
    raw = RawInput()
    try:
        for line in lines:
            row = json.loads(line)
            if row["type"] == "facility":
                raw.salt, raw.grace_s = bytes.fromhex(row["salt"][2:]), int(row["grace_s"])
                raw.reopenings = tuple(
                    Reopening(int(epoch), int(at_s)) for epoch, at_s in row.get("reopenings", ())
                )
            elif row["type"] == "lease":
                raw.leases.append(row)
            else:
                raw.events.append(row)
    except (ValueError, KeyError, TypeError) as error:
        raise EvidenceInvalid("the attester's input is not readable") from error
    return raw


def leases_from(raw: RawInput) -> dict[Bytes32, LeaseTerms]:
    """Lease terms with hashes made here from the salt, not taken on trust."""
    found = {}
    for row in raw.leases:
        prices = tuple(PriceVersion(*values) for values in row["prices"])
        check_prices(prices, opened_at_s=row["opened_at_s"])
        lease = salted_hash(raw.salt, row["lease_id"])
        renter = salted_hash(raw.salt, "renter:" + row["renter_ref"])
        found[lease] = LeaseTerms(
            lease,
            renter,
            PricePlan(row["plan"]),
            row["committed_gpus"],
            row["opened_at_s"],
            row["closed_at_s"],
            prices,
        )
    return found


class Recomputation:
    """Entries and outages of one statement, rebuilt from raw events."""

    def __init__(self, terms: FacilityTerms, epoch: Epoch, raw: RawInput) -> None:
        self.terms, self.epoch, self.raw = terms, epoch, raw
        self.entries: list[Entry] = []
        self.outages: list[Outage] = []
        self._leases: dict[str, Bytes32] = {}
        self._usage: dict[tuple[str, str], tuple[Entry, int]] = {}
        voids: list[tuple[CorrectionEvent, int]] = []
        seen: set[tuple[str, str]] = set()
        for row in raw.events:
            recorded_at_s = int(row["recorded_at_s"])
            event = parse_event(row["payload"])
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
        self.entries += [e for e, placed in self._usage.values() if placed == epoch]

    def _lease_hash(self, lease_id: str | None) -> Bytes32:
        if lease_id is None:
            return ZERO32
        found = self._leases.get(lease_id)
        if found is None:
            found = self._leases[lease_id] = salted_hash(self.raw.salt, lease_id)
        return found

    def _place(self, interval: Interval, recorded_at_s: int) -> Placement:
        return place_interval(
            self.terms,
            interval,
            recorded_at_s=recorded_at_s,
            grace_s=self.raw.grace_s,
            reopenings=self.raw.reopenings,
        )

    def _place_usage(self, event: UsageEvent, recorded_at_s: int) -> tuple[Entry, int]:
        interval = Interval(
            device_hash(event.device), self._lease_hash(event.lease_id), event.start_s, event.end_s
        )
        placement = self._place(interval, recorded_at_s)
        kind = LineKind.DELIVERY if event.delivery else LineKind.USAGE
        kind = LineKind.LATE_USAGE if placement.late else kind
        seconds = event.end_s - event.start_s
        entry = Entry(kind, interval.device, interval.lease, event.start_s, event.end_s, seconds)
        return entry, placement.statement_epoch

    def _take_outage(self, event: OutageEvent, recorded_at_s: int) -> None:
        device, lease = device_hash(event.device), self._lease_hash(event.lease_id)
        interval = Interval(device, lease, event.start_s, event.end_s)
        placement = self._place(interval, recorded_at_s)
        if placement.late or placement.statement_epoch != self.epoch:
            raise EvidenceInvalid("an outage belongs to another epoch")
        self.outages.append(Outage(device, lease, event.start_s, event.end_s))

    def _apply_voids(self, voids: list[tuple[CorrectionEvent, int]]) -> None:
        """Same rule as ingest: in the record's own statement both vanish, later a VOID line."""
        for event, recorded_at_s in voids:
            target = self._usage.get((event.corrects_source, event.corrects_id))
            current = open_epoch(
                self.terms,
                recorded_at_s,
                grace_s=self.raw.grace_s,
                reopenings=self.raw.reopenings,
            )
            if target is None or current is None:
                raise EvidenceInvalid("a correction names an event that was not supplied")
            entry, placed = target
            void_epoch = max(current, placed)
            if void_epoch == placed:
                del self._usage[event.corrects_source, event.corrects_id]
            elif void_epoch == self.epoch:
                self.entries.append(
                    Entry(
                        LineKind.VOID,
                        entry.device,
                        entry.lease,
                        entry.start_s,
                        entry.end_s,
                        entry.gpu_seconds,
                    )
                )


def recompute(
    terms: FacilityTerms, epoch: Epoch, raw: RawInput, *, carry: Carry, previous_hash: Bytes32
) -> ClosedEpoch:
    """Close an epoch from raw events alone. Raises AppError when the input breaks a rule."""
    rebuilt = Recomputation(terms, epoch, raw)
    leases = leases_from(raw)
    if not {o.lease for o in rebuilt.outages} <= {ZERO32, *leases}:
        raise EvidenceInvalid("an outage names a lease that was not supplied", field="lease")
    return close_epoch(
        terms,
        epoch,
        entries=rebuilt.entries,
        outages=rebuilt.outages,
        leases=leases,
        carry=carry,
        previous_statement_hash=previous_hash,
    )


def require_offered(terms: FacilityTerms, offered: tuple[Any, ...]) -> None:
    """Refuse terms or a pledge that are not those that investors see on-chain.

    A statement over other devices would be provably faulty, and its signers lose their bonds.
    Raises:  EvidenceInvalid.
    """
    ours = tuple(v.lower() if isinstance(v, str) else v for v in terms_tuple(terms))
    theirs = tuple(v.lower() if isinstance(v, str) else v for v in offered)
    if ours != theirs:
        message = "the facility's terms or pledge are not those offered on-chain"
        raise EvidenceInvalid(message, file=FACILITY_FILE)


def require_voided(raw: RawInput, voided: Sequence[int]) -> None:
    """Refuse an epoch that was reopened although nothing of it was proven wrong on-chain.

    Args:    voided: epochs with a proven fault, one entry a fault.
    Raises:  EvidenceInvalid.
    """
    claimed = Counter(reopening.first_epoch for reopening in raw.reopenings)
    if claimed - Counter(voided):
        raise EvidenceInvalid("an epoch was reopened without a proven fault on-chain")


class AttesterApi(Protocol):
    """What an attester asks of the service."""

    def pending(self, attester: str) -> list[tuple[int, int, bytes]]:
        """`(facility_id, epoch, statement_hash)` that this attester has not signed."""
        ...

    def input(self, facility_id: int, epoch: int) -> RawInput:
        """Raw events and leases of one statement."""
        ...

    def submit(self, facility_id: int, epoch: int, attester: str, signature: bytes) -> None:
        """Hand in a signature."""
        ...


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an attester decided on one statement: signed, or refused with a reason."""

    facility_id: int
    epoch: int
    signed: bool
    reason: str | None = None


class Attester:
    """Recomputes pending statements and signs those that it reproduces to the byte."""

    def __init__(
        self,
        api: AttesterApi,
        evidence: EvidenceSource,
        signer: LocalSigner,
        *,
        chain_id: int,
        registry: str,
        offered: Callable[[int], tuple[Any, ...]] | None = None,
        voided: Callable[[int], Sequence[int]] | None = None,
        pledges: PledgeWatch | None = None,
    ) -> None:
        """Judge with the chain at hand.

        Args:    offered: reads a facility's terms from FacilityRegistry; None believes the
                 evidence.  voided: epochs of a facility with a proven fault; None believes the
                 service.  pledges: refuses devices that an earlier facility pledged; None
                 compares no other facilities.
        """
        self._api, self._evidence, self._signer = api, evidence, signer
        self._chain_id, self._registry = chain_id, registry
        self._offered, self._voided, self._pledges = offered, voided, pledges
        # What this attester itself reproduced: the next epoch starts from it.
        self._own: dict[tuple[int, int], tuple[Carry, Bytes32]] = {}

    def run_once(self) -> list[Verdict]:
        """Judge everything pending, in order of epochs."""
        verdicts = []
        for facility_id, epoch, claimed_hash in self._api.pending(self._signer.address):
            try:
                statement = self._judge(facility_id, Epoch(epoch), claimed_hash)
                digest = statement_digest(
                    statement, chain_id=self._chain_id, registry=self._registry
                )
                signature = self._signer.sign_digest(digest)
                self._api.submit(facility_id, epoch, self._signer.address, signature)
                verdicts.append(Verdict(facility_id, epoch, signed=True))
            except AppError as error:
                verdicts.append(Verdict(facility_id, epoch, signed=False, reason=error.message))
            except HOSTILE as error:
                # A service that hands out nonsense gets no signature, and does not stop us.
                reason = f"the input of the statement is not readable: {error!r}"
                verdicts.append(Verdict(facility_id, epoch, signed=False, reason=reason))
        return verdicts

    def _judge(self, facility_id: int, epoch: Epoch, claimed_hash: bytes) -> Statement:
        raw = self._api.input(facility_id, epoch)
        if raw.reopenings and self._voided is not None:
            require_voided(raw, self._voided(facility_id))
        terms = decode_facility(
            self._evidence.read(f"{facility_folder(facility_id)}/{FACILITY_FILE}")
        )
        if self._offered is not None:
            require_offered(terms, self._offered(facility_id))
        earlier = None if self._pledges is None else self._pledges.earlier(terms)
        if earlier is not None:
            message = (
                f"facility {earlier.facility_id} pledged {earlier.devices} of the devices before"
            )
            raise EvidenceInvalid(message, file=FACILITY_FILE)
        carry, previous_hash = self._start(facility_id, epoch)
        closed = recompute(terms, epoch, raw, carry=carry, previous_hash=previous_hash)
        folder = epoch_folder(facility_id, epoch)
        for name in (*COMMITTED_FILES, MANIFEST_FILE):
            home = facility_folder(facility_id) if name == FACILITY_FILE else folder
            if self._evidence.read(f"{home}/{name}") != closed.files[name]:
                raise EvidenceInvalid(f"{home}/{name} is not what the events give", file=name)
        if statement_hash(closed.statement) != claimed_hash:
            raise EvidenceInvalid("the statement is not what the events give")
        self._own[facility_id, epoch] = (closed.carry, statement_hash(closed.statement))
        self._own.pop((facility_id, epoch - 2), None)
        return closed.statement

    def _start(self, facility_id: int, epoch: Epoch) -> tuple[Carry, Bytes32]:
        """Carry and hash of the epoch before: remembered, or reproduced from its raw events."""
        if epoch == 0:
            return EMPTY_CARRY, ZERO32
        own = self._own.get((facility_id, epoch - 1))
        if own is not None:
            return own
        # After a restart the chain of epochs is walked again from the first: nothing is believed.
        carry, previous_hash = EMPTY_CARRY, ZERO32
        path = f"{facility_folder(facility_id)}/{FACILITY_FILE}"
        terms = decode_facility(self._evidence.read(path))
        for earlier in range(epoch):
            raw = self._api.input(facility_id, earlier)
            closed = recompute(terms, Epoch(earlier), raw, carry=carry, previous_hash=previous_hash)
            published = self._evidence.read(f"{epoch_folder(facility_id, earlier)}/{CARRY_FILE}")
            if decode_carry(published) != closed.carry:
                raise EvidenceInvalid(f"carry of epoch {earlier} is not what the events give")
            carry, previous_hash = closed.carry, statement_hash(closed.statement)
        return carry, previous_hash
