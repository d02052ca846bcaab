"""SQL of attesters: their periods, the threshold, and what they signed, from indexed events."""

from dataclasses import dataclass

from sqlalchemy import Connection, select

from api.chain.emitted.statement_registry import AttesterPeriodSet, ThresholdSet
from api.db import event_columns as e
from api.domain.units import Address, Epoch, FacilityId
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


def threshold_at(connection: Connection, now_s: int) -> int | None:
    """Signatures that a posting needs at a time; None before it was set."""
    query = select(e.payload, e.block_time_s).where(e.event == "ThresholdSet")
    current: ThresholdSet | None = None
    coming: ThresholdSet | None = None
    for payload, at_s in connection.execute(query.order_by(*e.chain_order)):
        # A change that still waited when the next one came was replaced.
        if coming is not None and coming.from_s <= at_s:
            current = coming
        coming = payloads.threshold_set(payload)
    if coming is not None and coming.from_s <= now_s:
        current = coming
    return None if current is None else current.threshold


def newest_periods(connection: Connection) -> dict[Address, AttesterPeriodSet]:
    """The period that was set last, by account."""
    query = select(e.account, e.payload).where(e.event == "AttesterPeriodSet")
    return {
        account: payloads.attester_period(payload)
        for account, payload in connection.execute(query.order_by(*e.chain_order))
    }
