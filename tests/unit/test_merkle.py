"""Trees agree with @openzeppelin/merkle-tree in Node, leaf by leaf and proof by proof."""

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from eth_abi.abi import encode
from hypothesis import given
from hypothesis import strategies as st

from api.domain.hashing import keccak, word
from api.domain.merkle import MerkleTree, leaf_hash, verify_proof
from api.domain.metering.usage import LineKind
from api.domain.statements.lines import Line, encode_line, usage_tree
from api.domain.units import ZERO32, Bytes32, Epoch, FacilityId
from api.errors import InvalidInput
from tests.unit.values import LINES

ROOT = Path(__file__).resolve().parents[2]
NODE = r"""
const { StandardMerkleTree } = require("@openzeppelin/merkle-tree");
const rows = JSON.parse(require("fs").readFileSync(0, "utf8"));
const types = ["uint64","uint32","uint32","uint8","bytes32","bytes32","uint64","uint64","uint64",
  "int128","uint64","int128"];
const tree = StandardMerkleTree.of(rows, types);
console.log(JSON.stringify({ root: tree.root, proofs: rows.map((_, i) => tree.getProof(i)) }));
"""


def _lines(count: int) -> list[Line]:
    return [
        Line(
            i,
            LineKind(i % 12),
            keccak(b"d%d" % i),
            keccak(b"lease"),
            1_000 * i,
            1_000 * i + 60,
            60,
            -i if i % 2 else i * 10**12,
            60 * i,
            10**15 - i,
        )
        for i in range(count)
    ]


@pytest.mark.parametrize("count", [1, 2, 3, 7, 8, 33])
def test_tree__of_lines__equals_openzeppelin(count: int) -> None:
    """ATTACKS 22."""
    facility_id, epoch = FacilityId(2**63 - 1), Epoch(7)
    lines = _lines(count)
    rows = [
        [
            str(facility_id), epoch, x.index, int(x.kind), "0x" + x.subject.hex(),
            "0x" + x.lease.hex(), x.start_s, x.end_s, x.gpu_seconds, str(x.charge_micros),
            x.cumulative_gpu_seconds, str(x.cumulative_charge_micros),
        ]
        for x in lines
    ]  # fmt: skip

    run = subprocess.run(
        ["node", "-e", NODE], input=json.dumps(rows), cwd=ROOT, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    theirs = json.loads(run.stdout)
    tree = usage_tree(facility_id, epoch, lines)

    assert "0x" + tree.root.hex() == theirs["root"]
    ours = [["0x" + node.hex() for node in tree.proof(i)] for i in range(count)]
    assert ours == theirs["proofs"]


@given(st.sets(st.binary(min_size=32, max_size=32), min_size=1, max_size=40), st.data())
def test_proof__any_leaf__verifies_and_no_other_leaf_does(
    leaves: set[bytes], data: st.DataObject
) -> None:
    ordered = sorted(leaves)
    index = data.draw(st.integers(0, len(ordered) - 1))
    tree = MerkleTree(ordered)

    proof = tree.proof(index)

    assert verify_proof(proof, root=tree.root, leaf=ordered[index])
    assert not verify_proof(proof, root=tree.root, leaf=keccak(ordered[index]))


def test_tree__of_three__keeps_each_leaf_at_its_place() -> None:
    leaves = [keccak(bytes([i])) for i in range(3)]

    tree = MerkleTree(leaves)

    assert [tree.nodes[place] for place in tree.leaf_places] == leaves
    assert tree.nodes[0] == tree.root


def test_tree__empty__has_root_zero() -> None:
    assert MerkleTree([]).root == ZERO32


def test_tree__equal_leaves__are_refused() -> None:
    leaf = leaf_hash(encode_line(FacilityId(1), Epoch(0), _lines(1)[0]))

    with pytest.raises(InvalidInput, match="equal"):
        MerkleTree([leaf, Bytes32(leaf)])


_u64, _i128 = st.integers(0, 2**64 - 1), st.integers(-(2**127), 2**127 - 1)
_word32 = st.binary(min_size=32, max_size=32)
# Foreign evidence can hold any integer: then too a line is its words, one after the other.
_any = st.integers(-(2**200), 2**200)


@given(
    st.builds(
        Line,
        st.integers(0, 2**33),
        st.sampled_from(LineKind),
        _word32,
        _word32,
        _u64 | _any,
        _u64 | _any,
        _u64 | _any,
        _i128 | _any,
        _u64 | _any,
        _i128 | _any,
    )
)
def test_encode_line__any_integers__is_twelve_words(line: Line) -> None:
    facility_id, epoch = FacilityId(2**63 - 1), Epoch(7)

    encoded = encode_line(facility_id, epoch, line)

    numbers = (line.start_s, line.end_s, line.gpu_seconds, line.charge_micros)
    numbers += (line.cumulative_gpu_seconds, line.cumulative_charge_micros)
    words = [word(n) for n in (facility_id, epoch, line.index, line.kind)]
    assert encoded == b"".join((*words, line.subject, line.lease, *map(word, numbers)))


@given(LINES, st.integers(0, 2**32 - 1))
def test_abi_tuple__any_line__is_encoded_by_others_as_the_leaf_is(line: Line, index: int) -> None:
    """The tuple goes into a challenge's calldata: the contract must find the leaf we hashed."""
    placed = replace(line, index=index)
    types = "uint64 uint32 uint32 uint8 bytes32 bytes32 uint64 uint64 uint64 int128 uint64 int128"

    theirs = encode(types.split(), placed.as_abi_tuple(FacilityId(3), Epoch(7)))

    assert theirs == encode_line(FacilityId(3), Epoch(7), placed)
