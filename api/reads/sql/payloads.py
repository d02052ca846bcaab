"""Stored arguments of events, by name: the one place that knows how they lie in JSON."""

import json
from dataclasses import dataclass

from api.domain.units import Address, Bytes32, Micros


def offered_terms_hash(payload: str) -> Bytes32:
    """Hash of the terms that a FacilityOffered names."""
    return Bytes32(bytes.fromhex(json.loads(payload)["terms"][11][2:]))


@dataclass(frozen=True, slots=True)
class OpenedSale:
    """Terms of a SaleOpened; a price a tranche, by seniority."""

    opens_at_s: int
    closes_at_s: int
    floor_units: int
    up_front_bps: int
    prices_micros: tuple[Micros, ...]


def opened_sale(payload: str) -> OpenedSale:
    """Terms of a SaleOpened."""
    opens_at_s, closes_at_s, floor_units, up_front_bps, prices = json.loads(payload)["terms"]
    return OpenedSale(opens_at_s, closes_at_s, floor_units, up_front_bps, tuple(prices))


@dataclass(frozen=True, slots=True)
class PostedStatement:
    """Figures of a statement as it was posted, whatever the ledger says of its epoch."""

    available_gpu_seconds: int
    billed_gpu_seconds: int
    gross_revenue_micros: Micros
    evidence_hash: Bytes32
    top_renter_bps: int
    committed_bps: int


def posted_statement(payload: str) -> PostedStatement:
    """Statement of a StatementPosted."""
    # In the order of `IStatementRegistry.Statement`.
    values = json.loads(payload)["statement"]
    return PostedStatement(
        available_gpu_seconds=values[4],
        billed_gpu_seconds=values[5],
        gross_revenue_micros=values[6],
        evidence_hash=Bytes32(bytes.fromhex(values[9][2:])),
        top_renter_bps=values[11],
        committed_bps=values[12],
    )


def posted_attesters(payload: str) -> tuple[Address, ...]:
    """Attesters that a StatementPosted names, lower-case."""
    return tuple(Address(a.lower()) for a in json.loads(payload)["attesters"])


def stream_end_s(payload: str) -> int:
    """When all that streams after a RevenueAccrued has vested."""
    return int(json.loads(payload)["streamEnd"])


def paid_lease(payload: str) -> Bytes32:
    """Lease hash that a RentPaid names."""
    return Bytes32(bytes.fromhex(json.loads(payload)["lease"][2:]))


def voucher_id(payload: str) -> int:
    """Number of the voucher of a VoucherIssued."""
    return int(json.loads(payload)["voucherId"])


@dataclass(frozen=True, slots=True)
class AttesterPeriod:
    """From when until when an account is a member of the attester set."""

    active_from_s: int
    active_until_s: int


def attester_period(payload: str) -> AttesterPeriod:
    """Period of an AttesterPeriodSet."""
    arguments = json.loads(payload)
    return AttesterPeriod(int(arguments["activeFrom"]), int(arguments["activeUntil"]))
