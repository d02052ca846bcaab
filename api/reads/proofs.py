"""A line with the proof that it stands under the root of the statement in the books."""

from dataclasses import dataclass

from api.db import statements
from api.db.session import Engine, reading
from api.db.trees import stored_proof
from api.domain.merkle import leaf_hash, verify_proof
from api.domain.statements.lines import Line, encode_line
from api.domain.units import Bytes32, Epoch, FacilityId
from api.errors import NotFound, RecordsDamaged


@dataclass(frozen=True, slots=True)
class LineProofView:
    """A line, its leaf, the hashes from there up, and the root."""

    line: Line
    leaf: Bytes32
    proof: tuple[Bytes32, ...]
    root: Bytes32


def prove_line(
    engine: Engine, facility_id: FacilityId, *, epoch: Epoch, index: int
) -> LineProofView:
    """One line with its proof, whatever the number of lines: a tree is stored, not built.

    Raises:  NotFound for an unknown statement or line, RecordsDamaged if what is stored does not
             lead to the root: a proof that would not hold is never served.
    """
    with reading(engine) as connection:
        row = statements.known_statement_row(connection, facility_id, epoch)
        if index >= row.line_count:
            raise NotFound(f"the statement has {row.line_count} lines", index=index)
        lines = statements.lines_of(connection, facility_id, epoch, offset=index, limit=1)
        proof = stored_proof(connection, facility_id, epoch, index)
    if len(lines) == 1 and proof is not None:
        leaf = leaf_hash(encode_line(FacilityId(facility_id), Epoch(epoch), lines[0]))
        if verify_proof(proof, root=row.usage_root, leaf=leaf):
            return LineProofView(lines[0], leaf, tuple(proof), Bytes32(row.usage_root))
    message = f"line {index} of epoch {epoch} does not lead to its statement's root"
    raise RecordsDamaged(message, facility_id=facility_id, epoch=epoch, index=index)
