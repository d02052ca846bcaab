"""SQL of the queue: what is due, who has it, and what became of it."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, case, delete, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from api.db.bulk import chunks
from api.db.rows import insert_record, rows_as, values_of
from api.db.session import is_sqlite
from api.db.tables.facilities import facilities
from api.db.tables.work import NewWork, WorkRow, work
from api.domain.backoff import MOST_S
from api.domain.units import FacilityId, OperatorId

# The service's own steps are of no facility.
SERVICE = FacilityId(0)
DUE, WAITING, FAILING, HELD = "due", "waiting", "failing", "held"
# What waits for an event, and for no time.
NEVER_S = 2**62
# A worker says so often that it still has what it claimed, and is believed for so long.
CLAIM_S = 60
_w = work.c


def wake(
    connection: Connection, step: str, facility_ids: Iterable[FacilityId], *, now_s: int
) -> None:
    """Make a step of facilities due now. What fails or is held keeps its time."""
    _upsert(connection, step, facility_ids, now_s=now_s, again=True)


def begin(
    connection: Connection, step: str, facility_ids: Iterable[FacilityId], *, now_s: int
) -> None:
    """Make a step of facilities due now, where nothing is known of it."""
    _upsert(connection, step, facility_ids, now_s=now_s, again=False)


def _upsert(
    connection: Connection, step: str, ids: Iterable[FacilityId], *, now_s: int, again: bool
) -> None:
    new = [values_of(NewWork(step, i, DUE, 0, now_s, 0, None, now_s)) for i in ids]
    kind = sqlite if is_sqlite(connection) else postgresql
    for part in chunks(new):
        insert = kind.insert(work).values(list(part))
        keys = ["step", "facility_id"]
        if again:
            calm = _w.state.in_((DUE, WAITING))
            change = {
                "wakes": _w.wakes + 1,
                "state": case((calm, DUE), else_=_w.state),
                "next_try_s": case((calm, now_s), else_=_w.next_try_s),
                "from_block_s": case((calm, 0), else_=_w.from_block_s),
            }
            connection.execute(insert.on_conflict_do_update(index_elements=keys, set_=change))
        else:
            connection.execute(insert.on_conflict_do_nothing(index_elements=keys))


@dataclass(frozen=True, slots=True)
class Candidate:
    """A step of a facility that can be taken now. rank: of its operator's, from 1."""

    facility_id: FacilityId
    operator_id: OperatorId
    next_try_s: int
    rank: int


def candidates(
    connection: Connection, step: str, *, now_s: int, chain_s: int, most: int
) -> list[Candidate]:
    """Steps that are due and that nobody has, `most` of each operator, longest due first."""
    rank = func.row_number().over(
        partition_by=facilities.c.operator_id, order_by=(_w.next_try_s, _w.facility_id)
    )
    ranked = (
        select(
            _w.facility_id,
            facilities.c.operator_id,
            _w.next_try_s,
            rank.label("rank"),
        )
        .join(facilities, facilities.c.facility_id == _w.facility_id)
        .where(_w.step == step, _ready(now_s=now_s, chain_s=chain_s))
        .subquery()
    )
    query = select(ranked).where(ranked.c.rank <= most)
    query = query.order_by(ranked.c.rank, ranked.c.next_try_s, ranked.c.facility_id)
    return rows_as(Candidate, connection.execute(query))


def _ready(*, now_s: int, chain_s: int) -> ColumnElement[bool]:
    # A time far ahead was noted by a clock that was wrong: it holds nothing up.
    tried = or_(_w.next_try_s <= now_s, _w.next_try_s > now_s + 2 * int(MOST_S))
    free = or_(
        _w.claimed_by.is_(None),
        _w.claimed_until_s <= now_s,
        _w.claimed_until_s > now_s + 2 * CLAIM_S,
    )
    return and_(_w.state != HELD, tried, _w.from_block_s <= chain_s, free)


def claim(
    connection: Connection,
    step: str,
    facility_ids: Collection[FacilityId],
    *,
    name: str,
    now_s: int,
    chain_s: int,
) -> list[WorkRow]:
    """Take steps of facilities, those that another worker is taking left out."""
    chosen = (
        select(work)
        .where(
            _w.step == step, _w.facility_id.in_(facility_ids), _ready(now_s=now_s, chain_s=chain_s)
        )
        .with_for_update(skip_locked=True)  # SQLite has one writer at a time, and no rows to lock
    )
    rows = rows_as(WorkRow, connection.execute(chosen))
    taken = [row.facility_id for row in rows]
    claimed = {"claimed_by": name, "claimed_until_s": now_s + CLAIM_S}
    connection.execute(
        update(work).where(_w.step == step, _w.facility_id.in_(taken)).values(claimed)
    )
    return rows


def keep_claims(connection: Connection, name: str, *, now_s: int) -> None:
    """Say that a worker still has what it claimed."""
    mine = update(work).where(_w.claimed_by == name)
    connection.execute(mine.values(claimed_until_s=now_s + CLAIM_S))


def let_go(connection: Connection, names: Collection[str]) -> None:
    """Let go of all that some workers claimed."""
    theirs = update(work).where(_w.claimed_by.in_(names))
    connection.execute(theirs.values(claimed_by=None, claimed_until_s=0))


def claimers(connection: Connection) -> list[str]:
    """Names of the workers that have claimed something."""
    query = select(_w.claimed_by).where(_w.claimed_by.is_not(None)).distinct()
    return [name for name in connection.execute(query).scalars() if name is not None]


def finish(connection: Connection, row: WorkRow, *, now_s: int) -> None:
    """There is nothing left to do. What was made due meanwhile stays due."""
    gone = delete(work).where(_of(row), _w.wakes == row.wakes)
    if connection.execute(gone).rowcount == 0:
        change(connection, row, state=DUE, now_s=now_s)


def change(
    connection: Connection,
    row: WorkRow,
    *,
    state: str,
    now_s: int,
    attempts: int = 0,
    next_try_s: int | None = None,
    from_block_s: int = 0,
    reason: str | None = None,
    released: bool = False,
) -> None:
    """Say how a step stands, and let go of it. What was made due meanwhile is not put off."""
    woken = _w.wakes != (row.wakes if state in (DUE, WAITING) else _w.wakes)
    next_s = now_s if next_try_s is None else next_try_s
    since_s = row.since_s if (state, reason) == (row.state, row.reason) else now_s
    values: Mapping[str, object] = {
        "state": state,
        "attempts": attempts,
        "next_try_s": case((woken, now_s), else_=next_s),
        "from_block_s": case((woken, 0), else_=from_block_s),
        "reason": reason,
        "since_s": since_s,
        "released": released,
        "claimed_by": None,
        "claimed_until_s": 0,
    }
    connection.execute(update(work).where(_of(row)).values(values))


def _of(row: WorkRow) -> ColumnElement[bool]:
    return and_(_w.step == row.step, _w.facility_id == row.facility_id)


def told(
    connection: Connection, facility_ids: Collection[FacilityId] | None, *, now_s: int
) -> list[WorkRow]:
    """What somebody can be told of: failing, held, waiting with a reason, or being done.

    Args:    facility_ids: None for all, the service's own steps too.
    """
    stands = and_(_w.state != DUE, _w.reason.is_not(None))
    claimed = and_(_w.claimed_by.is_not(None), _w.claimed_until_s > now_s)
    query = select(work).where(or_(stands, claimed))
    if facility_ids is not None:
        query = query.where(_w.facility_id.in_(facility_ids))
    order = case((_w.state == HELD, 0), (_w.state == FAILING, 1), else_=2)
    query = query.order_by(order, _w.since_s, _w.facility_id, _w.step)
    return rows_as(WorkRow, connection.execute(query))


def state_told(row: WorkRow, *, now_s: int) -> str:
    """`running` while a worker has it, which is believed as long as its claim; else its state."""
    return "running" if row.claimed_by and row.claimed_until_s > now_s else row.state


def note_service(
    connection: Connection, step: str, *, reason: str, attempts: int, now_s: int
) -> None:
    """Say that a step of the service itself fails, and why."""
    since_s = connection.execute(
        select(_w.since_s).where(_w.step == step, _w.facility_id == SERVICE)
    ).scalar()
    forget_service(connection, step)
    since_s = now_s if since_s is None else since_s
    row = NewWork(step, SERVICE, FAILING, attempts, now_s, 0, reason, since_s)
    insert_record(connection, row)


def forget_service(connection: Connection, step: str | None = None) -> None:
    """A step of the service went well, or nothing is known of any."""
    gone = delete(work).where(_w.facility_id == SERVICE)
    connection.execute(gone if step is None else gone.where(_w.step == step))


def retry(
    connection: Connection, facility_id: FacilityId | None, step: str | None, *, now_s: int
) -> int:
    """Let failing and waiting steps be tried at once; returns how many.

    The service's own are not among them: its worker alone knows when, in some seconds.
    """
    some = update(work).where(_w.state.in_((FAILING, WAITING)), _w.facility_id != SERVICE)
    some = some if facility_id is None else some.where(_w.facility_id == facility_id)
    some = some if step is None else some.where(_w.step == step)
    now = {"next_try_s": now_s, "from_block_s": 0, "wakes": _w.wakes + 1}
    return connection.execute(some.values(now)).rowcount


def release(connection: Connection, facility_id: FacilityId, *, now_s: int) -> int:
    """Let what is held of a facility go on; returns how many steps."""
    held = update(work).where(_w.facility_id == facility_id, _w.state == HELD)
    now = {"state": DUE, "next_try_s": now_s, "released": True, "since_s": now_s}
    return connection.execute(held.values(now)).rowcount


def start_again(connection: Connection, *, now_s: int) -> None:
    """A worker that starts tries everything once; how often it failed stays known."""
    connection.execute(
        update(work)
        .where(_w.state.in_((FAILING, WAITING)), _w.claimed_by.is_(None))
        .values(next_try_s=now_s, from_block_s=0)
    )
