"""Pulling an escrow: the state of a facility first, then its log, then the log's signed end."""

from pathlib import Path

from api.cli.operator_client import OperatorClient
from api.domain.json_text import as_integer, as_list, as_object, canonical_line
from api.domain.log.receipts import signed_entry_from
from api.domain.units import FacilityId
from api.errors import AppError
from api.evidence_store import EvidenceSource
from api.ledger.escrow import state_from
from api.rescue.escrow import appending
from api.rescue.escrow_check import Checked, check_escrow


def own_facilities(client: OperatorClient) -> list[FacilityId]:
    """Facilities of the operator whose key it is, ascending."""
    console = client.get_object("/v1/console", {})
    rows = map(as_object, as_list(console["facilities"]))
    return sorted(FacilityId(as_integer(row["facility_id"])) for row in rows)


def pull_escrow(
    client: OperatorClient, facility_id: FacilityId, folder: Path, evidence: EvidenceSource
) -> Checked:
    """Bring the escrow of a facility up to date, and check it against published evidence.

    The state comes first: a log that goes further than it loses nothing, and a replacement or a
    reopening that the log does not reach yet does no harm.
    Raises:  EscrowForked, EscrowBroken, Conflict while another process writes it, NotFound,
             ChainUnavailable where nobody answers, AppError of a refusal.
    """
    path = f"/v1/console/facilities/{facility_id}/escrow"
    state = client.post(path, {})
    _require_of(state, facility_id)
    with appending(folder, facility_id) as (escrow, log):
        escrow.write_state(state)
        while True:
            page = client.post(f"{path}/log", {"after": log.end.size})
            entries = [as_object(row) for row in as_list(page["entries"])]
            log.append([*map(as_object, as_list(page["leases"])), *entries])
            if page["head"] is not None:
                escrow.write_head(signed_entry_from(as_object(page["head"])))
            if not entries:
                return check_escrow(escrow, evidence)


def _require_of(document: dict[str, object], facility_id: FacilityId) -> None:
    """Refuse an answer that is no escrow of the facility, before it takes another's place."""
    if state_from(canonical_line(document)).facility_id != facility_id:
        raise AppError(f"this API answers with the escrow of another facility than {facility_id}")
