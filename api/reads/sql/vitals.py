"""How the service gets on, as its own rows tell: for whoever runs it."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, and_, func, not_, select

from api.db import event_columns as e
from api.db.standing import stands
from api.db.tables.chain import chain_events
from api.db.tables.facilities import facilities
from api.db.tables.outbox import intents, relayers, signed_transactions
from api.db.tables.refusals import refusals
from api.db.tables.work import work
from api.domain.transactions import FRESH_S, UNSENT, WATCHED, IntentState
from api.domain.units import FacilityId

# What nobody works on any more.
_OVER = (IntentState.FINAL, IntentState.CANCELLED)


@dataclass(frozen=True, slots=True)
class IntentsRow:
    """Intents of one kind in one state, and since when the oldest of them is to be done."""

    kind: str
    state: str
    count: int
    oldest_s: int


def open_intents(connection: Connection, now_s: int) -> list[IntentsRow]:
    """Intents that somebody works on, by kind and state: what is signed and not final, and what is
    still found due. What nobody finds due any more, as after another's posting, is left alone."""
    c = intents.c
    left_alone = and_(c.state.in_(UNSENT), c.due_at_s <= now_s - FRESH_S)
    query = (
        select(c.kind, c.state, func.count(), func.min(c.created_at_s))
        .where(c.state.not_in(_OVER), not_(left_alone))
        .group_by(c.kind, c.state)
    )
    return [IntentsRow(*row) for row in connection.execute(query)]


def open_nonces(connection: Connection) -> dict[str, list[int]]:
    """Nonces that each sender's transactions hold and that are not final, in order."""
    c = signed_transactions.c
    query = select(c.sender, c.nonce).where(c.state.in_(WATCHED)).distinct()
    found: dict[str, list[int]] = {}
    for sender, nonce in connection.execute(query.order_by(c.sender, c.nonce)):
        found.setdefault(sender, []).append(nonce)
    return found


def relayer_problems(connection: Connection) -> dict[str, str | None]:
    """By sender, why nothing can be sent with its key now."""
    query = select(relayers.c.sender, relayers.c.problem)
    return dict(connection.execute(query).all())


@dataclass(frozen=True, slots=True)
class PostedRow:
    """Postings of a facility that stand: how many, and when the newest was made."""

    facility_id: FacilityId
    epochs: int
    newest_s: int


def posted(connection: Connection) -> list[PostedRow]:
    """Postings that stand, by facility."""
    newest_s = func.max(chain_events.c.block_time_s)
    query = select(e.facility_id, func.count(), newest_s).where(stands()).group_by(e.facility_id)
    return [PostedRow(*row) for row in connection.execute(query)]


@dataclass(frozen=True, slots=True)
class ScheduleRow:
    """When a facility's epochs are over and take no records any more."""

    facility_id: FacilityId
    window_start_s: int
    window_end_s: int
    epoch_length_s: int
    grace_s: int


def schedules(connection: Connection, facility_ids: Sequence[FacilityId]) -> list[ScheduleRow]:
    """Schedules of some facilities."""
    c = facilities.c
    query = select(
        c.facility_id, c.window_start_s, c.window_end_s, c.epoch_length_s, c.grace_s
    ).where(c.facility_id.in_(facility_ids))
    return [ScheduleRow(*row) for row in connection.execute(query)]


@dataclass(frozen=True, slots=True)
class WorkCount:
    """Steps of one kind in one state, and since when the oldest of them is in it."""

    step: str
    state: str
    count: int
    since_s: int


def work_by_state(connection: Connection) -> list[WorkCount]:
    """Steps of the queue, counted."""
    c = work.c
    query = select(c.step, c.state, func.count(), func.min(c.since_s)).group_by(c.step, c.state)
    return [WorkCount(*row) for row in connection.execute(query)]


def refusals_in_force(connection: Connection, now_s: int) -> dict[str, int]:
    """Number of refusals that count, by attester."""
    c = refusals.c
    query = select(c.attester, func.count()).where(c.until_s > now_s).group_by(c.attester)
    return dict(connection.execute(query).all())
