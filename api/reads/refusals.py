"""Refusals of a facility's statements, as attesters handed them in; which the chain has."""

from dataclasses import dataclass

from api.db import chain_store
from api.db import refusals as store
from api.db.facilities import known_facility_row
from api.db.session import Engine, reading
from api.domain.json_text import as_object, read_json
from api.domain.statements.refusal_files import SignedRefusal, refusal_from
from api.domain.units import Epoch, FacilityId
from api.reads.sql import payloads


@dataclass(frozen=True, slots=True)
class RefusalView:
    """A refusal. on_chain: whether the indexed chain shows it, for the same reason."""

    signed: SignedRefusal
    received_at_s: int
    on_chain: bool


def read_refusals(
    engine: Engine, facility_id: FacilityId, *, epoch: Epoch | None, offset: int, limit: int
) -> tuple[int, list[RefusalView]]:
    """Number and a page of refusals, the newest epoch first. Raises NotFound."""
    with reading(engine) as connection:
        known_facility_row(connection, facility_id)
        total, rows = store.refusals_of(
            connection, facility_id, epoch=epoch, offset=offset, limit=limit
        )
        events = chain_store.events_named(connection, "StatementRefused", facility_id=facility_id)
    shown = {payloads.refused(event.payload) for event in events}
    views = []
    for row in rows:
        signed = refusal_from(as_object(read_json(row.document)))
        said = signed.refusal
        key = (said.epoch, signed.attester.lower(), said.about, said.code)
        views.append(RefusalView(signed, row.received_at_s, key in shown))
    return total, views
