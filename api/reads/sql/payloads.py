"""Stored arguments of events, by name: the one place in reads that opens a payload."""

import json
from dataclasses import dataclass

from api.chain.emitted.args import read_payload
from api.chain.emitted.attester_desk import StatementRefused
from api.chain.emitted.attester_registry import AttesterPeriodSet, AttesterUrlSet, PanelSet
from api.chain.emitted.delivery_desk import VoucherIssued, VoucherMoved
from api.chain.emitted.facility_registry import FacilityOffered
from api.chain.emitted.pledge_registry import PledgeApproved
from api.chain.emitted.primary_sale import SaleOpened, SaleTerms
from api.chain.emitted.refund_desk import CreditRefunded
from api.chain.emitted.rent_lockbox import Closing, FacilityClosed, LateRentShared, RentPaid
from api.chain.emitted.statement_registry import StatementPosted
from api.chain.emitted.tranche_token import RevenueAccrued
from api.domain.statements.refusals import NO_HASH
from api.domain.statements.statement import Statement
from api.domain.units import NO_MICROS, Address, Bytes32, Epoch, Micros


def offered_terms_hash(payload: str) -> Bytes32:
    """Hash of the terms that a FacilityOffered names."""
    return read_payload(FacilityOffered, payload).terms.terms_hash


def offer(payload: str) -> FacilityOffered:
    """A FacilityOffered with all its terms."""
    return read_payload(FacilityOffered, payload)


def opened_sale(payload: str) -> SaleTerms:
    """Terms of a SaleOpened; a price a tranche, by seniority."""
    return read_payload(SaleOpened, payload).terms


def posted_statement(payload: str) -> Statement:
    """Statement of a StatementPosted, whatever the ledger says of its epoch."""
    return read_payload(StatementPosted, payload).statement


def refused(payload: str) -> tuple[Epoch, str, Bytes32, int]:
    """Epoch, attester in lower case, statement or evidence, and code of a StatementRefused."""
    said = read_payload(StatementRefused, payload)
    about = said.evidence_hash if said.statement_hash == NO_HASH else said.statement_hash
    return said.epoch, said.attester.lower(), about, said.code


def posted_attesters(payload: str) -> tuple[Address, ...]:
    """Attesters that a StatementPosted names, lower-case."""
    # Of every posting of every facility: the statement beside them is not decoded.
    return tuple(Address(str(attester).lower()) for attester in json.loads(payload)["attesters"])


def stream_end_s(payload: str) -> int:
    """When all that streams after a RevenueAccrued has vested."""
    return read_payload(RevenueAccrued, payload).stream_end_s


def paid_lease(payload: str) -> Bytes32:
    """Lease hash that a RentPaid names."""
    return read_payload(RentPaid, payload).lease


def credited_lease(payload: str) -> Bytes32:
    """Lease hash of whose credit a CreditRefunded paid back."""
    return read_payload(CreditRefunded, payload).lease


def closing(payload: str) -> Closing:
    """What a FacilityClosed says was shared."""
    return read_payload(FacilityClosed, payload).closing


@dataclass(frozen=True, slots=True)
class Shared:
    """Where money of a closing, or late rent after it, went: all parts are its amount. Micros."""

    advanced_micros: Micros
    to_units_micros: Micros
    to_vouchers_micros: Micros
    to_treasury_micros: Micros
    to_operator_micros: Micros


def shared(event: str, payload: str) -> Shared:
    """The parts of a FacilityClosed or of a LateRentShared."""
    closed = event == FacilityClosed.__name__
    part = closing(payload) if closed else late_rent(payload)
    return Shared(
        advanced_micros=part.advanced_micros if isinstance(part, Closing) else NO_MICROS,
        to_units_micros=Micros(sum(part.to_units_micros)),
        to_vouchers_micros=Micros(sum(part.to_vouchers_micros)),
        to_treasury_micros=part.to_treasury_micros,
        to_operator_micros=part.to_operator_micros,
    )


def late_rent(payload: str) -> LateRentShared:
    """Where rent went that came after a closing, for claims."""
    return read_payload(LateRentShared, payload)


def voucher_id(event: str, payload: str) -> int:
    """Number of the voucher of a VoucherIssued or a VoucherMoved."""
    if event == VoucherMoved.__name__:
        return read_payload(VoucherMoved, payload).voucher_id
    return read_payload(VoucherIssued, payload).voucher_id


def panel_set(payload: str) -> PanelSet:
    """A change of the seats of a panel."""
    return read_payload(PanelSet, payload)


def offered_panel(payload: str) -> int:
    """Number of the panel that a FacilityOffered names."""
    # Beside long terms that are not decoded.
    return int(json.loads(payload)["panel"])


def pledge_approved(payload: str) -> PledgeApproved:
    """A pledge that attesters approved."""
    return read_payload(PledgeApproved, payload)


def attester_period(payload: str) -> AttesterPeriodSet:
    """Membership of an account in the attester set."""
    return read_payload(AttesterPeriodSet, payload)


def attester_url(payload: str) -> str:
    """Where an attester publishes; empty for nowhere."""
    return read_payload(AttesterUrlSet, payload).url
