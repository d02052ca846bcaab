"""SQL of what later statements put right of an epoch."""

from dataclasses import dataclass

from sqlalchemy import BindParameter, Connection, and_, bindparam, func, or_, select

from api.db.rows import rows_as
from api.db.tables.statements import statement_lines, statements
from api.domain.metering.usage import EARLIER_KINDS, RETOLD_KINDS, LineKind
from api.domain.units import Epoch, FacilityId, Micros

# Written into the statement: an index of few kinds is used only by who names them there.
_KINDS: BindParameter[int] = bindparam(
    None, sorted(EARLIER_KINDS), expanding=True, literal_execute=True
)


@dataclass(frozen=True, slots=True)
class RestatedRow:
    """What one statement says of earlier time, by the kind of its lines."""

    epoch: Epoch
    closing: bool
    kind: int
    seconds: int
    charge_micros: Micros


def restated_by(
    connection: Connection,
    facility_id: FacilityId,
    epoch: Epoch,
    *,
    start_s: int,
    end_s: int,
    month_start_s: int,
) -> list[RestatedRow]:
    """What statements behind one say of its time, and of the rent of the months that it is in.

    Args:    start_s, end_s: of the epoch.  month_start_s: of the month in which it begins.
    """
    x = statement_lines.c
    of_epoch = and_(x.kind.in_(sorted(RETOLD_KINDS)), x.start_s >= start_s, x.end_s > start_s)
    of_month = and_(x.kind == LineKind.USAGE_DIFFERENCE.value, x.end_s > start_s)
    query = (
        select(
            x.epoch,
            statements.c.closing,
            x.kind,
            func.sum(x.end_s - x.start_s).label("seconds"),
            func.sum(x.charge_micros).label("charge_micros"),
        )
        .join(
            statements,
            and_(
                statements.c.facility_id == x.facility_id,
                statements.c.epoch == x.epoch,
                statements.c.epoch_start_s == x.epoch_start_s,
            ),
        )
        .where(
            x.facility_id == facility_id,
            x.kind.in_(_KINDS),
            x.start_s >= month_start_s,
            x.start_s < end_s,
            x.epoch_start_s > start_s,
            # By time, not along all later statements: a sum is in no index.
            x.epoch + 0 > epoch,
            or_(of_epoch, of_month),
        )
        .group_by(x.epoch, statements.c.closing, x.kind)
        .order_by(x.epoch, x.kind)
    )
    rows = rows_as(RestatedRow, connection.execute(query))
    return [
        RestatedRow(r.epoch, r.closing, r.kind, int(r.seconds), Micros(int(r.charge_micros)))
        for r in rows
    ]
