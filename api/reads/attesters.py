"""Attesters from indexed events: their periods, what they signed, what of it was voided."""

import json
from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import Connection, Engine

from api.chain.calldata import checksum
from api.chain.contracts import Contracts
from api.db import chain_store
from api.db.session import reading
from api.domain.lifecycle import Standing

# `IAttesterSet`: the largest uint40 stands for a membership without end.
_FOREVER = 2**40 - 1


@dataclass(frozen=True, slots=True)
class AttesterFigures:
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
class Attesters:
    """All that ever were members; `threshold` is None until it is set or without a deployment."""

    threshold: int | None
    attesters: tuple[AttesterFigures, ...]


class _Record:
    """Statements of one attester."""

    def __init__(self) -> None:
        self.signed = self.voided = 0
        self.last_s: int | None = None


def _records(connection: Connection) -> dict[str, _Record]:
    """Records by lower-case address, every posting counted, also of epochs posted twice."""
    found: dict[str, _Record] = {}
    standing: dict[int, Standing[list[str]]] = defaultdict(Standing)
    for row in chain_store.events_named(connection, "StatementPosted", "StatementVoided"):
        if row.event == "StatementPosted":
            signers = [a.lower() for a in json.loads(row.payload)["attesters"]]
            standing[row.facility_id].post(row.epoch, signers)
            for address in signers:
                record = found.setdefault(address, _Record())
                record.signed += 1
                record.last_s = row.block_time_s
            continue
        for signers in standing[row.facility_id].void(first=row.epoch, before=row.extra):
            for address in signers:
                found[address].voided += 1
    return found


def read_attesters(engine: Engine, contracts: Contracts | None) -> Attesters:
    """Attesters as of the newest indexed block, by address. Raises ChainUnavailable."""
    with reading(engine) as connection:
        block = chain_store.last_block(connection)
        thresholds = chain_store.events_named(connection, "ThresholdSet")
        periods = {
            row.account: json.loads(row.payload)
            for row in chain_store.events_named(connection, "AttesterPeriodSet")
        }
        records = _records(connection)
    if contracts is None or block is None:
        return Attesters(None, ())
    calls = [contracts.bond_vault.attester_bond_micros(address) for address in sorted(periods)]
    bonds = contracts.all_of(calls).at(block=block.number)
    found = []
    for address, bond in zip(sorted(periods), bonds, strict=True):
        start_s, end_s = int(periods[address]["activeFrom"]), int(periods[address]["activeUntil"])
        record = records.get(address, _Record())
        found.append(
            AttesterFigures(
                checksum(address),
                start_s,
                None if end_s == _FOREVER else end_s,
                start_s <= block.time_s < end_s,
                bond,
                record.signed,
                record.voided,
                record.last_s,
            )
        )
    return Attesters(thresholds[-1].extra if thresholds else None, tuple(found))
