"""Pledges: leaves as anybody's tools make them, digests, and cards in two of them."""

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from eth_account.messages import encode_typed_data
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st

from api.domain.pledges import (
    APPROVAL_TYPE,
    DOMAIN_NAME,
    DOMAIN_VERSION,
    Contradiction,
    Pledge,
    PledgeApproval,
    PledgedDevice,
    Pledging,
    approval_digest,
    cards_pledged_before,
    contradictions,
    holdings,
    pledge_tree,
)
from api.domain.units import Bytes32, Epoch, FacilityId
from tests.unit.values import HASHES

ROOT = Path(__file__).resolve().parents[2]
REGISTRY = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
NODE = r"""
const { StandardMerkleTree } = require("@openzeppelin/merkle-tree");
const rows = JSON.parse(require("fs").readFileSync(0, "utf8"));
const tree = StandardMerkleTree.of(rows, ["uint64","uint32","bytes32","bytes32","uint32"]);
console.log(JSON.stringify({ root: tree.root, proofs: rows.map((_, i) => tree.getProof(i)) }));
"""
_U32, _U64 = (st.integers(0, 2**bits - 1) for bits in (32, 64))
A, B, C = (Bytes32(bytes([n]) * 32) for n in (1, 2, 3))
# Four epochs of ten seconds each.
START_S, EPOCH_S, EPOCHS = 1_000, 10, 4


@pytest.mark.parametrize("count", [1, 2, 7])
def test_pledge_tree__of_slices__equals_openzeppelin(count: int) -> None:
    """ATTACKS 22."""
    facility_id = FacilityId(2**63 - 1)
    devices = [
        PledgedDevice(Bytes32(keccak(b"%d" % i)), Bytes32(keccak(b"card %d" % (i // 2))), Epoch(i))
        for i in range(count)
    ]
    rows = [
        [str(facility_id), i, "0x" + d.device.hex(), "0x" + d.card.hex(), d.from_epoch]
        for i, d in enumerate(devices)
    ]

    run = subprocess.run(
        ["node", "-e", NODE], input=json.dumps(rows), cwd=ROOT, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    theirs = json.loads(run.stdout)
    tree = pledge_tree(facility_id, devices)

    assert "0x" + tree.root.hex() == theirs["root"]
    ours = [["0x" + node.hex() for node in tree.proof(i)] for i in range(count)]
    assert ours == theirs["proofs"]


@given(st.builds(PledgeApproval, _U64, HASHES, _U32, _U32, _U64), st.integers(1, 2**63))
def test_digest__any_approval__is_that_of_eth_account(
    approval: PledgeApproval, chain_id: int
) -> None:
    inner = APPROVAL_TYPE.split("(")[1].rstrip(")").split(",")
    types = [{"type": kind, "name": name} for kind, name in (part.split(" ") for part in inner)]
    values = (
        approval.facility_id,
        approval.pledge_root,
        approval.device_count,
        approval.from_epoch,
        approval.approvals,
    )
    domain = {
        "name": DOMAIN_NAME,
        "version": DOMAIN_VERSION,
        "chainId": chain_id,
        "verifyingContract": REGISTRY,
    }
    message = dict(zip((t["name"] for t in types), values, strict=True))

    theirs = encode_typed_data(domain, {"PledgeApproval": types}, message)

    ours = approval_digest(approval, chain_id=chain_id, registry=REGISTRY)
    assert ours == keccak(b"\x19" + theirs.version + theirs.header + theirs.body)


def _pledging(facility_id: int, *pledges: Pledge, start_s: int = START_S) -> Pledging:
    end_s = start_s + EPOCHS * EPOCH_S
    return Pledging(FacilityId(facility_id), start_s, end_s, EPOCH_S, pledges)


def _of(number: int, *cards: Bytes32, from_epoch: int = 0) -> Pledge:
    """Whole cards that come with this approval."""
    since = Epoch(from_epoch)
    return Pledge(number, since, tuple(PledgedDevice(card, card, since) for card in cards))


def test_cards_pledged_before__earlier_approval__counts_whoever_offered_first() -> None:
    """ATTACKS 23: the same GPU pledged twice."""
    first, second = _pledging(8, _of(1, A, B)), _pledging(7, _of(2, B, C))

    assert cards_pledged_before(second, other=first) == (B,)
    assert cards_pledged_before(first, other=second) == ()


def test_cards_pledged_before__touching_windows__share_no_second() -> None:
    own = _pledging(2, _of(2, A))
    until = _pledging(1, _of(1, A), start_s=START_S - EPOCHS * EPOCH_S)

    assert cards_pledged_before(own, other=until) == ()
    later = _pledging(1, _of(1, A), start_s=START_S - EPOCHS * EPOCH_S + 1)
    assert cards_pledged_before(own, other=later) == (A,)
    assert cards_pledged_before(own, other=later, epoch=Epoch(0)) == (A,)
    assert cards_pledged_before(own, other=later, epoch=Epoch(1)) == ()


@pytest.mark.parametrize(
    ("ended_at_s", "expected"),
    [(None, (A,)), (START_S, ()), (START_S + 1, (A,)), (START_S + 10**6, (A,))],
)
def test_cards_pledged_before__facility_ended__claims_until_then(
    ended_at_s: int | None, expected: tuple[Bytes32, ...]
) -> None:
    other = replace(_pledging(1, _of(1, A)), ended_at_s=ended_at_s)

    assert cards_pledged_before(_pledging(2, _of(2, A)), other=other) == expected


def test_cards_pledged_before__cancelled__claims_nothing() -> None:
    other = replace(_pledging(1, _of(1, A)), cancelled=True)

    assert cards_pledged_before(_pledging(2, _of(2, A)), other=other) == ()


def test_cards_pledged_before__replaced__is_by_epoch() -> None:
    """A card that leaves a pledge from epoch 2 on is free from then on; so is its own number."""
    other = _pledging(1, _of(1, A), _of(3, B, from_epoch=2))
    own = _pledging(2, _of(2, A, B))

    found = [cards_pledged_before(own, other=other, epoch=Epoch(e)) for e in range(EPOCHS)]

    # B came to the other facility by a later approval than this one's: it is at fault itself.
    assert found == [(A,), (A,), (), ()]
    assert cards_pledged_before(other, other=own, epoch=Epoch(2)) == (B,)
    assert cards_pledged_before(other, other=own, epoch=Epoch(1)) == ()


def test_cards_pledged_before__card_that_a_replacement_keeps__came_with_the_first() -> None:
    kept = Pledge(3, Epoch(2), (PledgedDevice(A, A), PledgedDevice(C, C, Epoch(2))))
    own, other = _pledging(1, _of(1, A, B), kept), _pledging(2, _of(2, A, C))

    assert [cards_pledged_before(own, other=other, epoch=Epoch(e)) for e in (1, 2)] == [(), (C,)]
    assert cards_pledged_before(other, other=own, epoch=Epoch(2)) == (A,)


def test_cards_pledged_before__device_from_a_later_epoch__claims_from_then() -> None:
    late = Pledge(1, Epoch(0), (PledgedDevice(B, A, Epoch(3)),))
    other, own = _pledging(1, late), _pledging(2, _of(2, A))

    found = [cards_pledged_before(own, other=other, epoch=Epoch(e)) for e in range(EPOCHS)]

    # Of a slice the card counts, not the slice.
    assert found == [(), (), (), (A,)]


@given(
    st.lists(
        st.tuples(st.sets(st.sampled_from([A, B, C]), min_size=1), st.integers(0, 3)),
        min_size=1,
        max_size=3,
        unique_by=lambda pledge: pledge[1],
    ),
    st.one_of(st.none(), st.integers(START_S - 5, START_S + 60)),
)
def test_holdings__any_pledges__are_what_each_second_says(
    drawn: list[tuple[set[Bytes32], int]], ended_at_s: int | None
) -> None:
    ordered = sorted(drawn, key=lambda pledge: pledge[1])
    pledges = [_of(i + 1, *sorted(c), from_epoch=e) for i, (c, e) in enumerate(ordered)]
    pledging = replace(_pledging(1, *pledges), ended_at_s=ended_at_s)

    found = list(holdings(pledging))

    for second in range(START_S, pledging.window_end_s):
        in_force = pledging.in_force((second - START_S) // EPOCH_S)
        over = ended_at_s is not None and second >= ended_at_s
        expected = set() if over or in_force is None else {d.card for d in in_force.devices}
        assert {h.card for h in found if h.start_s <= second < h.end_s} == expected


def _slices(number: int, *pairs: tuple[Bytes32, Bytes32]) -> Pledge:
    """Slices with their cards, from the first epoch on."""
    return Pledge(number, Epoch(0), tuple(PledgedDevice(device, card) for device, card in pairs))


X, Y = (Bytes32(bytes([n]) * 32) for n in (8, 9))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        # The card, and a slice of it.
        (_of(1, A), _slices(2, (X, A))),
        (_slices(1, (X, A)), _of(2, A)),
        # Two slices of one card.
        (_slices(1, (X, A)), _slices(2, (Y, A))),
        (_slices(1, (X, A)), _slices(2, (X, A))),
    ],
)
def test_cards_pledged_before__card_and_slices__are_one_card(first: Pledge, second: Pledge) -> None:
    """ATTACKS 47: whoever is approved later has no part of the card while the windows overlap."""
    earlier, later = _pledging(1, first), _pledging(2, second)
    after = _pledging(2, second, start_s=START_S + EPOCHS * EPOCH_S)

    assert cards_pledged_before(later, other=earlier) == (A,)
    assert cards_pledged_before(earlier, other=later) == ()
    assert cards_pledged_before(after, other=earlier) == ()
    assert contradictions([later, earlier]) == ()


@pytest.mark.parametrize(
    ("first", "second", "device"),
    [
        # One slice with two cards; a slice taken for a card; a card of another's slice.
        (_slices(1, (X, A)), _slices(2, (X, B)), X),
        (_slices(1, (X, A)), _of(2, X), X),
        (_of(1, X), _slices(2, (X, A)), X),
        (_slices(1, (X, A)), _slices(2, (Y, X)), Y),
        (_slices(1, (Y, X)), _slices(2, (X, A)), X),
    ],
)
def test_contradictions__slice_of_two_cards__is_the_later_ones_at_any_time(
    first: Pledge, second: Pledge, device: Bytes32
) -> None:
    """ATTACKS 47: a slice that moves to another card was invented here or there."""
    earlier, later = _pledging(1, first), _pledging(2, second)
    after = _pledging(2, second, start_s=START_S + EPOCHS * EPOCH_S)
    expected = (Contradiction(FacilityId(2), FacilityId(1), device),)

    assert contradictions([earlier, later]) == contradictions([after, earlier]) == expected
    assert contradictions([replace(earlier, cancelled=True), later]) == ()
    assert contradictions([earlier, replace(later, cancelled=True)]) == ()


def test_contradictions__whole_cards_and_slices_of_others__are_none() -> None:
    pledgings = [
        _pledging(1, _of(1, A, B)),
        _pledging(2, _slices(2, (X, C)), _slices(4, (X, C), (Y, C))),
        _pledging(3, _of(3, A)),
    ]

    assert contradictions(pledgings) == ()
