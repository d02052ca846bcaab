"""SQL of attesters: periods, URLs, what they signed and lost, from indexed events."""

from dataclasses import dataclass

from sqlalchemy import Connection, case, func, select

from api.chain.emitted.attester_registry import AttesterPeriodSet
from api.db import event_columns as e
from api.domain.units import Address, Epoch, FacilityId, Micros
from api.reads.sql import payloads


@dataclass(frozen=True, slots=True)
class SignedRow:
    """A StatementPosted with the attesters whose signatures it carries, lower-case."""

    facility_id: FacilityId
    epoch: Epoch
    attesters: tuple[Address, ...]
    posted_at_s: int


@dataclass(frozen=True, slots=True)
class VoidedRow:
    """A StatementVoided: it took epochs `[first_epoch, before_epoch)` of a facility."""

    facility_id: FacilityId
    first_epoch: Epoch
    before_epoch: int


def signed_and_voided(connection: Connection) -> list[SignedRow | VoidedRow]:
    """Postings and voids of every facility, in chain order."""
    query = (
        select(e.event, e.facility_id, e.epoch, e.before_epoch, e.payload, e.block_time_s)
        .where(e.event.in_(("StatementPosted", "StatementVoided")))
        .order_by(*e.chain_order)
    )
    return [
        SignedRow(
            facility_id=facility_id,
            epoch=epoch,
            attesters=payloads.posted_attesters(payload),
            posted_at_s=at_s,
        )
        if event == "StatementPosted"
        else VoidedRow(facility_id=facility_id, first_epoch=epoch, before_epoch=before)
        for event, facility_id, epoch, before, payload, at_s in connection.execute(query)
    ]


def newest_periods(connection: Connection) -> dict[Address, AttesterPeriodSet]:
    """The period that was set last, by account."""
    query = select(e.account, e.payload).where(e.event == "AttesterPeriodSet")
    return {
        account: payloads.attester_period(payload)
        for account, payload in connection.execute(query.order_by(*e.chain_order))
    }


def newest_urls(connection: Connection) -> dict[Address, str]:
    """Where attesters publish, as they said last, by account."""
    query = select(e.account, e.payload).where(e.event == "AttesterUrlSet")
    return {
        account: payloads.attester_url(payload)
        for account, payload in connection.execute(query.order_by(*e.chain_order))
    }


def slashed(connection: Connection) -> dict[Address, Micros]:
    """What attesters lost in all, by account."""
    query = (
        select(e.account, func.sum(e.amount_micros))
        .where(e.event == "AttesterSlashed")
        .group_by(e.account)
    )
    return {account: Micros(int(lost)) for account, lost in connection.execute(query)}


def bonds(connection: Connection) -> dict[Address, Micros]:
    """Bonds by account: what was deposited, less what was withdrawn or lost."""
    deposited = e.event == "AttesterBondDeposited"
    change = case((deposited, e.amount_micros), else_=-e.amount_micros)
    names = ("AttesterBondDeposited", "AttesterBondWithdrawn", "AttesterSlashed")
    query = select(e.account, func.sum(change)).where(e.event.in_(names)).group_by(e.account)
    return {account: Micros(int(held)) for account, held in connection.execute(query)}
