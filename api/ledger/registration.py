"""Registering a facility together with the file that publishes its terms."""

from sqlalchemy import Connection, Engine

from api.db.session import write
from api.domain.facility import FacilityTerms
from api.domain.statements.evidence import FACILITY_FILE, facility_folder
from api.domain.units import OperatorId
from api.evidence_store import EvidenceFolder
from api.ledger.facilities import LogHome, NewFacility, register_facility


def register_and_publish(
    engine: Engine,
    evidence: EvidenceFolder,
    *,
    operator_id: OperatorId,
    new: NewFacility,
    home: LogHome,
    grace_s: int,
    now_s: int,
) -> FacilityTerms:
    """Register a facility and publish its terms at once, not with the first statement.

    Attesters compare pledges across facilities, so whatever is registered must be published. The
    file is written whole before the commit. A crash between the two leaves a file of a facility
    that is not registered; the same registration again makes the same bytes and goes through.

    Raises:  InvalidInput naming the field, Conflict (`facility_exists`, `device_pledged`, or
             other bytes at the file's path).
    """

    def work(connection: Connection) -> FacilityTerms:
        row, terms = register_facility(
            connection, operator_id=operator_id, new=new, home=home, grace_s=grace_s, now_s=now_s
        )
        evidence.write(f"{facility_folder(terms.facility_id)}/{FACILITY_FILE}", row.terms_json)
        return terms

    return write(engine, work)
