"""How the service gets on: numbers for monitoring, each with its name, labels and value."""

from collections.abc import Iterator
from dataclasses import dataclass

from api.db.index_store import index_state_row, newest_number
from api.db.session import Connection
from api.db.work import FAILING
from api.domain.lifecycle import FacilityState
from api.reads.sql import market
from api.reads.sql import vitals as rows


@dataclass(frozen=True, slots=True)
class Vital:
    """One number. `telemetry.vitals.NAMES` says what it means, and names its labels."""

    name: str
    value: float
    labels: tuple[str, ...] = ()


# As in `db.tables.index`.
_INDEX_STATES = ("following", "catching_up", "waiting", "incomplete", "halted")


def read_vitals(connection: Connection, *, now_s: int, wall_s: int) -> list[Vital]:
    """All that rows tell.

    Args:    now_s: by the clock that epochs go by.  wall_s: by this machine's.
    """
    return [
        *_intents(connection, now_s),
        *_nonces(connection),
        *_postings(connection, now_s),
        *_index(connection, wall_s),
        *_work(connection, wall_s),
        *(
            Vital("refusals", count, (attester,))
            for attester, count in rows.refusals_in_force(connection, now_s).items()
        ),
    ]


def _intents(connection: Connection, now_s: int) -> Iterator[Vital]:
    found = rows.open_intents(connection, now_s)
    for row in found:
        yield Vital("intents", row.count, (row.kind, row.state))
    ages = [now_s - row.oldest_s for row in found]
    yield Vital("oldest_intent_seconds", max([*ages, 0]))


def _nonces(connection: Connection) -> Iterator[Vital]:
    open_nonces = rows.open_nonces(connection)
    problems = rows.relayer_problems(connection)
    for sender in sorted({*open_nonces, *problems}):
        nonces = open_nonces.get(sender, [])
        yield Vital("open_nonces", len(nonces), (sender,))
        # Between the lowest and the highest that are open, each nonce has to be ours.
        missing = nonces[-1] - nonces[0] + 1 - len(nonces) if nonces else 0
        yield Vital("nonce_gap", missing, (sender,))
        yield Vital("relayer_stopped", problems.get(sender) is not None, (sender,))


def _postings(connection: Connection, now_s: int) -> Iterator[Vital]:
    states = market.announced_states(connection, None)
    # That one delivers is said by the time alone: nothing is logged when its window begins.
    delivering = [f for f, state in states.items() if state is FacilityState.FUNDED]
    posted = {row.facility_id: row for row in rows.posted(connection)}
    for schedule in rows.schedules(connection, delivering):
        row = posted.get(schedule.facility_id)
        epochs = 0 if row is None else row.epochs
        label = (str(schedule.facility_id),)
        yield Vital("facility_overdue_seconds", _overdue_s(schedule, epochs, now_s), label)
        if row is not None:
            yield Vital("facility_newest_posting_timestamp_seconds", row.newest_s, label)


def _overdue_s(schedule: rows.ScheduleRow, epochs: int, now_s: int) -> int:
    """Seconds for which the first epoch that is not posted could have been closed; 0 if none."""
    over_s = schedule.window_start_s + (epochs + 1) * schedule.epoch_length_s
    if over_s > schedule.window_end_s:
        return 0
    return max(0, now_s - over_s - schedule.grace_s)


def _work(connection: Connection, wall_s: int) -> Iterator[Vital]:
    for row in rows.work_by_state(connection):
        yield Vital("work", row.count, (row.step, row.state))
        if row.state == FAILING:
            yield Vital("work_failing_seconds", max(0, wall_s - row.since_s), (row.step,))


def _index(connection: Connection, wall_s: int) -> Iterator[Vital]:
    state = index_state_row(connection)
    if state is None:
        return
    for name in _INDEX_STATES:
        yield Vital("index_state", name == state.state, (name,))
    indexed = newest_number(connection) or 0
    yield Vital("index_behind_blocks", max(0, state.head - indexed))
    yield Vital("index_final_block", state.final_number)
    yield Vital("index_unseen_seconds", max(0, wall_s - state.seen_at_s))
