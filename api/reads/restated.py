"""What later statements put right of an epoch: it stands, and they say the rest."""

from dataclasses import dataclass

from api.db.session import Connection
from api.db.tables.statements import StatementRow
from api.domain.metering.calendar import month_of, month_start_s
from api.domain.metering.usage import LineKind
from api.domain.units import Epoch, Micros
from api.reads.sql.restated import restated_by


@dataclass(frozen=True, slots=True)
class RestatedView:
    """What one later statement says.

    late_s, late_delivery_s, void_s: seconds of the epoch's own time.  rent_micros: what it changes
    of the rent for usage of the months that the epoch is in, of whichever of their days.
    """

    epoch: Epoch
    closing: bool
    late_s: int
    late_delivery_s: int
    void_s: int
    rent_micros: Micros


def restated_since(connection: Connection, row: StatementRow) -> list[RestatedView]:
    """What statements behind one put right of its time, in their order; of a closing one nothing.

    Differences that only come with the end of a month, such as a shortfall, put nothing right.
    """
    if row.closing:
        return []
    by_statement: dict[tuple[Epoch, bool], dict[int, tuple[int, Micros]]] = {}
    found = restated_by(
        connection,
        row.facility_id,
        row.epoch,
        start_s=row.epoch_start_s,
        end_s=row.epoch_end_s,
        month_start_s=month_start_s(month_of(row.epoch_start_s)),
    )
    for each in found:
        kinds = by_statement.setdefault((each.epoch, each.closing), {})
        kinds[each.kind] = each.seconds, each.charge_micros
    nothing = 0, Micros(0)
    return [
        RestatedView(
            epoch,
            closing,
            late_s=kinds.get(LineKind.LATE.value, nothing)[0],
            late_delivery_s=kinds.get(LineKind.LATE_DELIVERY.value, nothing)[0],
            void_s=kinds.get(LineKind.VOID.value, nothing)[0],
            rent_micros=kinds.get(LineKind.USAGE_DIFFERENCE.value, nothing)[1],
        )
        for (epoch, closing), kinds in by_statement.items()
    ]
