"""Merkle tree with the exact layout of OpenZeppelin's `StandardMerkleTree`.

Leaves are double-hashed ABI encodings, sorted by hash; inner nodes hash the sorted pair. Proofs
check with `MerkleProof.sol` and with `@openzeppelin/merkle-tree` (tests hold this).
"""

from collections.abc import Sequence

import sha3

from api.domain.hashing import keccak
from api.domain.units import ZERO32, Bytes32
from api.errors import InvalidInput


def leaf_hash(encoded: bytes) -> Bytes32:
    """Leaf of an ABI-encoded tuple. Hashing twice keeps leaves and inner nodes apart."""
    return keccak(keccak(encoded))


class MerkleTree:
    """Tree over n >= 0 leaf hashes, in any order; duplicates are refused.

    An empty tree has root zero and no proofs.
    """

    def __init__(self, leaves: Sequence[bytes]) -> None:
        count = len(leaves)
        ordered = sorted(range(count), key=leaves.__getitem__)
        size = max(2 * count - 1, 0)
        nodes: list[bytes] = [b""] * size
        self._position = [0] * count
        previous = b""
        for rank, original in enumerate(ordered):
            leaf = leaves[original]
            if leaf == previous:
                raise InvalidInput("two leaves of a tree are equal", field="leaves", index=original)
            previous = leaf
            nodes[size - 1 - rank] = leaf
            self._position[original] = size - 1 - rank
        keccak_256 = sha3.keccak_256
        for i in range(count - 2, -1, -1):
            left, right = nodes[2 * i + 1], nodes[2 * i + 2]
            pair = left + right if left < right else right + left
            nodes[i] = keccak_256(pair).digest()
        self._nodes = nodes

    @property
    def root(self) -> Bytes32:
        """Root, or zero for an empty tree."""
        return Bytes32(self._nodes[0]) if self._nodes else ZERO32

    @property
    def nodes(self) -> Sequence[bytes]:
        """All hashes: the root first, the children of node `i` at `2i + 1` and `2i + 2`."""
        return self._nodes

    @property
    def leaf_places(self) -> Sequence[int]:
        """Where among `nodes` each leaf stands, in the order in which leaves were given."""
        return self._position

    def proof(self, index: int) -> list[Bytes32]:
        """Sibling hashes from the leaf given at `index` up to the root.

        Raises:  IndexError if there is no such leaf.
        """
        return [Bytes32(self._nodes[i]) for i in sibling_places(self._position[index])]


def sibling_places(place: int) -> list[int]:
    """Places of the nodes that prove a node: siblings from its own up to below the root."""
    siblings = []
    while place > 0:
        siblings.append(place - 1 if place % 2 == 0 else place + 1)
        place = (place - 1) // 2
    return siblings


def root_of_proof(proof: Sequence[bytes], *, leaf: bytes) -> Bytes32:
    """Root under which a proof places `leaf`; the same walk as `MerkleProof.processProof`."""
    node: bytes = leaf
    for sibling in proof:
        node = keccak(node + sibling if node < sibling else sibling + node)
    return Bytes32(node)


def verify_proof(proof: Sequence[bytes], *, root: bytes, leaf: bytes) -> bool:
    """Whether `leaf` stands under `root`."""
    return root_of_proof(proof, leaf=leaf) == root
