"""Closing an epoch: from ledger entries to lines, evidence bytes and statement.

Close, attesters and `rentroll verify` all call `close_epoch`: same input, same bytes, for ever.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from api.domain.facility import FacilityTerms, Period
from api.domain.hashing import sha256
from api.domain.merkle import MerkleTree
from api.domain.metering.usage import COUNTED_KINDS, RECORDED_KINDS, Outage
from api.domain.statements.differences import commitment_differences, usage_differences
from api.domain.statements.entries import Entry
from api.domain.statements.evidence import (
    CARRY_FILE,
    FACILITY_FILE,
    LEASES_FILE,
    LINES_FILE,
    MANIFEST_FILE,
    OUTAGES_FILE,
    Carry,
    encode_carry,
    encode_facility,
    encode_leases,
    encode_lines,
    encode_manifest,
    encode_outages,
)
from api.domain.statements.lines import Line, rate_entries, usage_tree
from api.domain.statements.rating import LeaseTerms
from api.domain.statements.statement import Statement, build_statement
from api.domain.units import Bytes32
from api.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class ClosedEpoch:
    """A closed epoch: the statement, its lines and tree, evidence by file name, next carry."""

    statement: Statement
    lines: tuple[Line, ...]
    tree: MerkleTree
    files: Mapping[str, bytes]
    carry: Carry


def leases_of_period(
    period: Period,
    leases: Mapping[Bytes32, LeaseTerms],
    named: Collection[Bytes32],
) -> dict[Bytes32, LeaseTerms]:
    """Leases open in a period or named by its lines, as the period sees them.

    Behind the last epoch nothing is rented: a lease that ends there later changes no statement.
    """
    start_s = period.start_s
    seen_s = start_s if period.closing else period.end_s
    seen = (x.as_of(seen_s) for x in leases.values() if x.opened_at_s < seen_s)
    return {
        lease.lease: lease
        for lease in seen
        if lease.lease in named or lease.closed_at_s is None or lease.closed_at_s > start_s
    }


def check_overlaps(entries: Sequence[Entry]) -> None:
    """Refuse usage that bills a device twice for one second. Raises InvalidInput."""
    counted = sorted((e.device, e.start_s, e.end_s) for e in entries if e.kind in COUNTED_KINDS)
    for before, after in pairwise(counted):
        if before[0] == after[0] and after[1] < before[2]:
            raise InvalidInput(
                f"device {before[0].hex()} is billed twice at {after[1]}", field="entries"
            )


def _require_inside(terms: FacilityTerms, period: Period, entry: Entry) -> None:
    """Refuse use outside of the period, and what is late or void and not before it.

    Source:  fault IntervalOutside: signers of such a line lose their bonds.
    """
    if entry.kind in COUNTED_KINDS:
        inside = period.start_s <= entry.start_s and entry.end_s <= period.end_s
    else:
        inside = terms.window_start_s <= entry.start_s and entry.end_s <= period.start_s
    if not inside:
        raise InvalidInput(
            f"{entry.kind.name} of [{entry.start_s}, {entry.end_s}) is not of statement"
            f" {period.epoch}",
            field="entries",
        )


def close_epoch(
    terms: FacilityTerms,
    period: Period,
    *,
    entries: Sequence[Entry],
    outages: Sequence[Outage],
    leases: Mapping[Bytes32, LeaseTerms],
    carry: Carry,
    previous_statement_hash: Bytes32,
) -> ClosedEpoch:
    """Close one epoch, or the facility's books behind the last one.

    Args:    entries: recorded entries of this statement (usage and deliveries, in time or late,
             and voids), in any order.  leases: all leases of the
             facility, or at least those of the epoch.  carry: what the epoch before handed on.
    Raises:  InvalidInput when entries overlap, repeat, name unknown devices or leases, or are of
             a kind that is computed rather than recorded.
    """
    for entry in entries:
        if entry.kind not in RECORDED_KINDS:
            raise InvalidInput(f"{entry.kind.name} is computed, not recorded", field="kind")
        if period.closing and entry.kind in COUNTED_KINDS:
            raise InvalidInput(f"{entry.kind.name} is of no epoch", field="kind")
        _require_inside(terms, period, entry)
        if entry.device not in terms.device_set:
            raise InvalidInput(f"device {entry.device.hex()} is not pledged", field="device")
    check_overlaps(entries)
    epoch = period.epoch
    named = {e.lease for e in entries} | {d.lease for d in carry.deferred}
    seen = leases_of_period(period, leases, named)
    differences = [*usage_differences(terms, seen, entries), *carry.deferred]
    if not period.closing:
        differences += commitment_differences(terms, epoch, seen, entries, outages)
    rated = rate_entries(entries, differences, seen, carry.leases, closing=period.closing)
    next_carry = Carry(rated.carry, rated.deferred)
    files = {
        FACILITY_FILE: encode_facility(terms),
        LINES_FILE: encode_lines(rated.lines),
        OUTAGES_FILE: encode_outages(outages),
        LEASES_FILE: encode_leases(seen),
        CARRY_FILE: encode_carry(next_carry),
    }
    files[MANIFEST_FILE] = encode_manifest(terms.facility_id, epoch, files)
    tree = usage_tree(terms.facility_id, epoch, rated.lines)
    statement = build_statement(
        terms,
        period,
        lines=rated.lines,
        leases=seen,
        outages=outages,
        usage_root=tree.root,
        evidence_hash=sha256(files[MANIFEST_FILE]),
        previous_statement_hash=previous_statement_hash,
    )
    return ClosedEpoch(statement, rated.lines, tree, files, next_carry)
