"""Lines of a statement, and the proof of each."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.db import statements
from api.db.session import reading
from api.db.statements import known_statement_row
from api.domain.statements.evidence import hex32
from api.domain.statements.lines import Line
from api.reads.proofs import prove_line
from api.routes.http.parameters import EpochPath, FacilityPath, Limit, LineIndex, Offset
from api.routes.http.problems import errors
from api.routes.http.schemas import MICROS
from api.routes.service import ServiceDep

router = APIRouter(tags=["public"])


class LineOut(BaseModel):
    """One line of a statement."""

    index: int = Field(description="Place in the statement, from 0.")
    kind: str = Field(
        description="usage, delivery, late, late_delivery, void; or usage_, tier_, shortfall_,"
        " minimum_, sla_, fixed_ or adjustment_difference."
    )
    subject: str = Field(
        description="keccak-256 of the device UUID; of a difference, of its component's name."
    )
    lease: str = Field(description="Hash of the lease, which names nobody.")
    start_s: int = Field(description="UTC seconds.")
    end_s: int = Field(description="UTC seconds, exclusive.")
    gpu_seconds: int = Field(description="GPU-seconds that count for this epoch.")
    charge_micros: int = Field(
        description=f"Charge; of a difference of either sign, 0 if neither usage nor one; {MICROS}."
    )
    cumulative_gpu_seconds: int = Field(description="Prefix sum of gpu_seconds.")
    cumulative_charge_micros: int = Field(description="Prefix sum of charge_micros.")


class LinesOut(BaseModel):
    """A page of lines."""

    line_count: int = Field(description="Lines of the statement.")
    kinds: dict[str, int] = Field(
        description="Lines of each kind; lines are sorted by kind, so these are also offsets."
    )
    lines: list[LineOut] = Field(description="Lines from `offset` on.")


class ProofOut(BaseModel):
    """Merkle proof of one line, as OpenZeppelin's StandardMerkleTree makes it."""

    facility_id: int = Field(description="Facility of the statement; part of the leaf.")
    epoch: int = Field(description="Epoch of the statement; part of the leaf.")
    line: LineOut = Field(description="The line.")
    leaf: str = Field(description="Double keccak-256 of the ABI-encoded line.")
    proof: list[str] = Field(description="Sibling hashes, leaf to root.")
    root: str = Field(description="usageRoot of the statement.")


def to_api_line(line: Line) -> LineOut:
    """One line of a statement."""
    return LineOut(
        index=line.index,
        kind=line.kind.name.lower(),
        subject=hex32(line.subject),
        lease=hex32(line.lease),
        start_s=line.start_s,
        end_s=line.end_s,
        gpu_seconds=line.gpu_seconds,
        charge_micros=line.charge_micros,
        cumulative_gpu_seconds=line.cumulative_gpu_seconds,
        cumulative_charge_micros=line.cumulative_charge_micros,
    )


@router.get("/v1/facilities/{facility_id}/epochs/{epoch}/lines", responses=errors(404, 422))
def list_lines(
    service: ServiceDep,
    facility_id: FacilityPath,
    epoch: EpochPath,
    offset: Offset = 0,
    limit: Limit = 100,
) -> LinesOut:
    """Lines of a statement, by index."""
    with reading(service.engine) as connection:
        row = known_statement_row(connection, facility_id, epoch)
        lines = statements.lines_of(connection, facility_id, epoch, offset=offset, limit=limit)
        kinds = statements.line_kinds(connection, facility_id, epoch)
    return LinesOut(
        line_count=row.line_count,
        kinds={kind.name.lower(): count for kind, count in kinds.items()},
        lines=[to_api_line(line) for line in lines],
    )


@router.get(
    "/v1/facilities/{facility_id}/epochs/{epoch}/lines/{index}/proof", responses=errors(404, 422)
)
def get_proof(
    service: ServiceDep, facility_id: FacilityPath, epoch: EpochPath, index: LineIndex
) -> ProofOut:
    """One line with the proof that it stands under the statement's root."""
    proof = prove_line(service.engine, facility_id, epoch=epoch, index=index)
    return ProofOut(
        facility_id=facility_id,
        epoch=epoch,
        line=to_api_line(proof.line),
        leaf=hex32(proof.leaf),
        proof=[hex32(node) for node in proof.proof],
        root=hex32(proof.root),
    )
