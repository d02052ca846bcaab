"""SQL of the Merkle trees of statements: stored when an epoch closes, read one path at a time."""

import struct

from sqlalchemy import Connection, select

from api.db.bulk import insert_many
from api.db.tables.statements import TreePart, statement_trees
from api.domain.merkle import MerkleTree, sibling_places
from api.domain.units import Bytes32, Epoch, FacilityId

# Nodes, and leaves, of one row: 8 KiB of hashes. A path touches nine rows of 100,000 lines' 782.
PART = 256
_NODE_BYTES, _PLACE_BYTES = 32, 4


def insert_tree(
    connection: Connection, facility_id: FacilityId, epoch: Epoch, tree: MerkleTree
) -> None:
    """Store the tree over the lines of a statement."""
    rows = []
    for first in range(0, len(tree.nodes), PART):
        places = tree.leaf_places[first : first + PART]
        rows.append(
            TreePart(
                facility_id=facility_id,
                epoch=epoch,
                part=first // PART,
                leaf_places=struct.pack(f">{len(places)}I", *places),
                nodes=b"".join(tree.nodes[first : first + PART]),
            )
        )
    insert_many(connection, rows)


def stored_proof(
    connection: Connection, facility_id: FacilityId, epoch: Epoch, index: int
) -> list[Bytes32] | None:
    """Sibling hashes of a line from its leaf up to the root; None where a part is missing."""
    mine = (statement_trees.c.facility_id == facility_id, statement_trees.c.epoch == epoch)
    part = statement_trees.c.part
    places = select(statement_trees.c.leaf_places).where(*mine, part == index // PART)
    leaf = _slice(connection.execute(places).scalar(), index, size=_PLACE_BYTES)
    if leaf is None:
        return None
    siblings = sibling_places(int.from_bytes(leaf))
    query = select(part, statement_trees.c.nodes).where(
        *mine, part.in_({place // PART for place in siblings})
    )
    parts = {row.part: row.nodes for row in connection.execute(query)}
    found = [_slice(parts.get(place // PART), place, size=_NODE_BYTES) for place in siblings]
    path = [Bytes32(node) for node in found if node is not None]
    return path if len(path) == len(siblings) else None


def _slice(packed: bytes | None, place: int, *, size: int) -> bytes | None:
    start = place % PART * size
    found = (packed or b"")[start : start + size]
    return found if len(found) == size else None
