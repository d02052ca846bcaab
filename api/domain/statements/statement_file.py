"""Reading `statement.json`, where the chain does not hold the statement itself."""

from api.domain.json_text import as_bytes32, as_integer, as_object, read_json
from api.domain.statements.evidence import STATEMENT_FILE, encode_statement
from api.domain.statements.statement import Statement
from api.domain.units import Epoch, FacilityId, GpuSeconds, Micros
from api.errors import EvidenceInvalid


def read_statement(data: bytes) -> Statement:
    """The statement of a file, byte for byte. Raises EvidenceInvalid, ValueError, KeyError,
    TypeError."""
    doc = as_object(read_json(data))

    def number(name: str) -> int:
        return as_integer(doc[name])

    statement = Statement(
        facility_id=FacilityId(number("facility_id")),
        epoch=Epoch(number("epoch")),
        epoch_start_s=number("epoch_start_s"),
        epoch_end_s=number("epoch_end_s"),
        available_gpu_seconds=GpuSeconds(number("available_gpu_seconds")),
        available_adjustment=GpuSeconds(number("available_adjustment")),
        billed_gpu_seconds=GpuSeconds(number("billed_gpu_seconds")),
        gross_revenue_micros=Micros(number("gross_revenue_micros")),
        line_count=number("line_count"),
        usage_root=as_bytes32(doc["usage_root"]),
        evidence_hash=as_bytes32(doc["evidence_hash"]),
        previous_statement_hash=as_bytes32(doc["previous_statement_hash"]),
        top_renter_bps=number("top_renter_bps"),
        committed_bps=number("committed_bps"),
    )
    if encode_statement(statement) != data:
        raise EvidenceInvalid("bytes are not canonical", file=STATEMENT_FILE)
    return statement
