"""Attesters from indexed events: periods, and how many statements they signed and lost."""

from collections import defaultdict
from dataclasses import dataclass

from api.chain.calldata import checksum
from api.chain.contracts import Contracts
from api.db import chain_store
from api.db.session import Connection, Engine, reading
from api.domain.lifecycle import Standing
from api.domain.units import Address
from api.reads.sql import attesters

# `IAttesterSet`: the largest uint40 stands for a membership without end.
_FOREVER = 2**40 - 1


@dataclass(frozen=True, slots=True)
class AttesterView:
    """One attester and its record."""

    address: str
    active_from_s: int
    active_until_s: int | None
    active: bool
    bond_micros: int
    statements_signed: int
    statements_voided: int
    last_signed_at_s: int | None


@dataclass(frozen=True, slots=True)
class AttestersView:
    """All that ever were members; `threshold` is None until it is set or without a deployment."""

    threshold: int | None
    attesters: tuple[AttesterView, ...]


@dataclass(slots=True)
class _Record:
    """Statements of one attester."""

    signed: int = 0
    voided: int = 0
    last_signed_at_s: int | None = None


def _records(connection: Connection) -> dict[str, _Record]:
    """Records by lower-case address. An epoch that was posted twice counts twice."""
    records: defaultdict[str, _Record] = defaultdict(_Record)
    # A void takes what stands at that moment, so postings and voids are replayed in chain order.
    standing: defaultdict[int, Standing[tuple[Address, ...]]] = defaultdict(Standing)
    for row in attesters.signed_and_voided(connection):
        of_facility = standing[row.facility_id]
        if isinstance(row, attesters.SignedRow):
            of_facility.post(row.epoch, row.attesters)
            for address in row.attesters:
                records[address].signed += 1
                records[address].last_signed_at_s = row.posted_at_s
            continue
        for signers in of_facility.void(first=row.first_epoch, before=row.before_epoch):
            for address in signers:
                records[address].voided += 1
    return records


def read_attesters(engine: Engine, contracts: Contracts | None) -> AttestersView:
    """Attesters as of the newest indexed block, by address. Raises ChainUnavailable."""
    with reading(engine) as connection:
        block = chain_store.last_block(connection)
        threshold = None if block is None else attesters.threshold_at(connection, block.time_s)
        periods = attesters.newest_periods(connection)
        records = _records(connection)
    if contracts is None or block is None:
        return AttestersView(None, ())
    addresses = sorted(periods)
    calls = [contracts.bond_vault.attester_bond_micros(address) for address in addresses]
    bonds = contracts.all_of(calls).at(block=block.number)
    views = []
    for address, bond in zip(addresses, bonds, strict=True):
        period, record = periods[address], records.get(address, _Record())
        views.append(
            AttesterView(
                address=checksum(address),
                active_from_s=period.active_from_s,
                active_until_s=None if period.active_until_s == _FOREVER else period.active_until_s,
                active=period.active_from_s <= block.time_s < period.active_until_s,
                bond_micros=bond,
                statements_signed=record.signed,
                statements_voided=record.voided,
                last_signed_at_s=record.last_signed_at_s,
            )
        )
    return AttestersView(threshold, tuple(views))
