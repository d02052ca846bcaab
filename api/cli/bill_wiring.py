"""What the command line does with bills: the same as the API, for the operator of a facility."""

from collections.abc import Iterator
from contextlib import contextmanager

from api.db.facilities import known_facility_row
from api.db.migrate import upgrade
from api.db.session import reading
from api.domain.units import FacilityId, OperatorId
from api.main import make_service
from api.routes.operator.bill_files import BillFile
from api.routes.operator.bill_files import bill_bytes as bytes_of
from api.routes.operator.console.bills import (
    BillsOut,
    IssueBillsIn,
    IssuedBillsOut,
    base_of,
    bill_of,
    bills_of,
    issue_of,
)
from api.routes.service import Service
from api.settings import Settings

FORMS = frozenset(BillFile)


@contextmanager
def _service(settings: Settings, facility_id: FacilityId) -> Iterator[tuple[Service, OperatorId]]:
    """The service of the settings on a migrated database, and who runs a facility."""
    service = make_service(settings)
    try:
        upgrade(service.engine)
        with reading(service.engine) as connection:
            operator_id = known_facility_row(connection, facility_id).operator_id
        yield service, operator_id
    finally:
        service.key_uses.close()
        service.engine.dispose()
        service.client.close()


def list_bills(settings: Settings, facility_id: FacilityId) -> BillsOut:
    """Months and documents of a facility."""
    with _service(settings, facility_id) as (service, operator_id):
        return bills_of(service, operator_id, facility_id)


def issue_bills(
    settings: Settings,
    facility_id: FacilityId,
    *,
    month: str | None,
    lease_id: str | None,
    due_days: int,
) -> IssuedBillsOut:
    """Issue what can be issued."""
    body = IssueBillsIn(month=month, lease_id=lease_id, due_days=due_days)
    with _service(settings, facility_id) as (service, operator_id):
        return issue_of(service, operator_id, facility_id, body)


def bill_bytes(settings: Settings, facility_id: FacilityId, number: int, *, form: str) -> bytes:
    """A document in one of FORMS."""
    with _service(settings, facility_id) as (service, operator_id):
        bill, paid = bill_of(service, operator_id, facility_id, number)
        return bytes_of(bill.document, BillFile(form), base=base_of(service), paid=paid)
