"""StatementRegistry.challenge*: Python finds the fault, the chain confirms it, and nothing else."""

from dataclasses import replace
from itertools import pairwise

import brownie
import pytest

from api.domain.hashing import keccak
from api.domain.merkle import MerkleTree, leaf_hash
from api.domain.metering.usage import LineKind
from api.domain.statements.faults import FaultKind, absence_neighbours, find_faults
from api.domain.statements.lines import encode_line
from api.domain.units import ZERO32, Bytes32, Epoch, FacilityId
from tests.contracts.pledges import pledge_of
from tests.contracts.registry_world import (
    BOND,
    Posted,
    abi_line,
    renumbered,
)
from tests.ledgers import Ledger, closed_books, facility


def _first_epoch(book):
    """An honest first epoch with usage, delivery and a discount."""
    for seed in range(1_000):
        closed = book.closed(seed)[0]
        kinds = [line.kind for line in closed.lines]
        if kinds.count(LineKind.USAGE) >= 3 and {
            LineKind.DELIVERY,
            LineKind.TIER_DIFFERENCE,
        } <= set(kinds):
            return closed
    raise AssertionError


def _edit(place, **changes):
    def edit(lines, statement):
        return [replace(x, **changes) if i == place else x for i, x in enumerate(lines)]

    return edit


def _moved_out(lines, statement):
    """As if a record of the epoch before were stated again in this one."""
    moved = replace(lines[0], start_s=statement.epoch_start_s - 60, end_s=statement.epoch_start_s)
    return renumbered([replace(moved, gpu_seconds=60), *lines[1:]])


def _backward(lines, statement):
    return _edit(1, start_s=lines[1].end_s, end_s=lines[1].start_s)(lines, statement)


def _too_long(lines, statement):
    longer = replace(lines[1], gpu_seconds=lines[1].gpu_seconds + 1)
    return renumbered([lines[0], longer, *lines[2:]])


def _seconds_on_discount(lines, statement):
    return renumbered(
        [replace(x, gpu_seconds=5) if x.kind is LineKind.TIER_DIFFERENCE else x for x in lines]
    )


def _negative_usage(lines, statement):
    charged = replace(lines[0], charge_micros=lines[0].charge_micros + 100)
    return renumbered([charged, replace(lines[1], charge_micros=-100), *lines[2:]])


def _paid_delivery(lines, statement):
    return renumbered(
        [replace(x, charge_micros=7) if x.kind is LineKind.DELIVERY else x for x in lines]
    )


def _subject_on_discount(lines, statement):
    return [
        replace(x, subject=lines[0].subject) if x.kind is LineKind.TIER_DIFFERENCE else x
        for x in lines
    ]


def _void_of_now(lines, statement):
    void = replace(lines[0], kind=LineKind.VOID, gpu_seconds=0, charge_micros=0)
    return renumbered([*lines, void])


def _unknown_kind(lines, statement):
    return [*lines[:-1], replace(lines[-1], kind=12)]


def _inflated(lines, statement):
    """Every prefix sum from the third line on carries money that no line has."""
    return [
        x if i < 2 else replace(x, cumulative_charge_micros=x.cumulative_charge_micros + 1_000_000)
        for i, x in enumerate(lines)
    ]


def _first_sum(lines, statement):
    return [replace(x, cumulative_charge_micros=x.cumulative_charge_micros + 5) for x in lines]


def _twin(lines, statement):
    until_s = min(lines[0].end_s + 9, statement.epoch_end_s)
    twin = replace(lines[0], start_s=lines[0].end_s - 1, end_s=until_s, lease=keccak(b"other"))
    twin = replace(twin, gpu_seconds=twin.end_s - twin.start_s)
    return renumbered([lines[0], twin, *lines[1:]])


def _delivered_while_used(lines, statement):
    place = next(i for i, x in enumerate(lines) if x.kind is LineKind.DELIVERY)
    used = lines[0]
    interval = {"start_s": used.start_s, "end_s": used.end_s, "gpu_seconds": used.gpu_seconds}
    second = replace(lines[place], subject=used.subject, **interval)
    rest = [x for i, x in enumerate(lines) if i != place and x.kind is not LineKind.DELIVERY]
    at = sum(x.kind is LineKind.USAGE for x in rest)
    return renumbered([*rest[:at], second, *rest[at:]])


def _swapped(lines, statement):
    return renumbered([lines[0], lines[2], lines[1], *lines[3:]])


def _doubled(lines, statement):
    return renumbered([lines[0], *lines])


def _same_index(lines, statement):
    return [*lines, replace(lines[1], charge_micros=lines[1].charge_micros + 1)]


def _unpledged(lines, statement):
    stranger = Bytes32((int.from_bytes(lines[0].subject, "big") + 1).to_bytes(32, "big"))
    return [replace(lines[0], subject=stranger), *lines[1:]]


FAULTS = [
    (_moved_out, {}, FaultKind.INTERVAL_OUTSIDE),
    (_backward, {}, FaultKind.INTERVAL_EMPTY),
    (_too_long, {}, FaultKind.GPU_SECONDS_WRONG),
    (_seconds_on_discount, {}, FaultKind.GPU_SECONDS_WRONG),
    (_negative_usage, {}, FaultKind.CHARGE_WRONG),
    (_paid_delivery, {}, FaultKind.CHARGE_WRONG),
    (_void_of_now, {}, FaultKind.INTERVAL_OUTSIDE),
    (_subject_on_discount, {}, FaultKind.SUBJECT_WRONG),
    (_unknown_kind, {}, FaultKind.KIND_UNKNOWN),
    (_first_sum, {}, FaultKind.SUMS_WRONG),
    (_inflated, {}, FaultKind.SUMS_WRONG),
    (_edit(99), {"gross_revenue_micros": 10**12}, FaultKind.TOTALS_WRONG),
    (_edit(99), {"billed_gpu_seconds": 1}, FaultKind.TOTALS_WRONG),
    (_edit(99), {"line_count": 2}, FaultKind.INDEX_BEYOND_COUNT),
    (_twin, {}, FaultKind.LINES_OVERLAP),
    (_delivered_while_used, {}, FaultKind.LINES_OVERLAP),
    (_swapped, {}, FaultKind.LINES_OUT_OF_ORDER),
    (_doubled, {}, FaultKind.LINES_OUT_OF_ORDER),
    (_same_index, {}, FaultKind.INDEX_REPEATED),
    (_unpledged, {}, FaultKind.DEVICE_NOT_PLEDGED),
]


def _prove(book, posted, fault):
    """Send the challenge that a fault of `find_faults` calls for."""
    sender = {"from": book.challenger}
    first = posted.proven(fault.first)
    if fault.kind is FaultKind.DEVICE_NOT_PLEDGED:
        around = absence_neighbours(book.terms, posted.lines[fault.first].subject)
        neighbours = [book.pledge.proven(i) for i in around]
        return book.registry.challengeDevice(posted.abi, first, neighbours, sender)
    if fault.second is None:
        return book.registry.challengeLine(posted.abi, first, sender)
    return book.registry.challengePair(posted.abi, first, posted.proven(fault.second), sender)


@pytest.mark.parametrize(("edit", "changes", "kind"), FAULTS)
def test_challenge__broken_rule__voids_and_names_it(book, edit, changes, kind):
    """ATTACKS 21, 22: Python finds each fault of contracts/README.md and the chain confirms it."""
    closed = _first_epoch(book)
    posted = Posted(closed.statement, edit(list(closed.lines), closed.statement), **changes)
    book.post(posted.statement)
    found = find_faults(book.terms, posted.statement, posted.lines)
    fault = next(f for f in found if f.kind is kind)

    transaction = _prove(book, posted, fault)

    event = transaction.events["StatementVoided"][0]
    assert (event["facilityId"], event["epoch"], event["fault"]) == (7, 0, int(kind))
    assert (event["challenger"], event["epochsPostedBefore"]) == (book.challenger, 1)
    assert book.registry.epochsPosted(7) == 0


def test_challenge__honest_statements__find_nothing(book, rules):
    """ATTACKS 24: of every kind there is, no line and no pair is at fault."""
    kinds = set()
    for seed in range(6):
        for closed in closed_books(Ledger(seed, book.terms)):
            if not closed.lines:
                continue
            posted = Posted(closed.statement, closed.lines)
            kinds |= {line.kind for line in closed.lines}
            proven = [posted.proven(i) for i in range(len(posted.lines))]
            assert not any(rules.ofLine(posted.abi, x) for x in proven)
            pairs = pairwise(proven)
            assert not any(rules.ofPair(posted.abi, a, b) for a, b in pairs)
    assert kinds == set(LineKind)


def test_challenge__honest_line_pair_or_device__reverts_and_changes_nothing(book):
    """ATTACKS 24: spam costs the spammer alone."""
    closed = _first_epoch(book)
    posted = Posted(closed.statement, closed.lines)
    book.post(posted.statement)
    one, two, sender = posted.proven(0), posted.proven(1), {"from": book.challenger}
    neighbours = [book.pledge.proven(i) for i in (0, 1)]

    for call, arguments in (
        (book.registry.challengeLine, (one,)),
        (book.registry.challengePair, (one, two)),
        (book.registry.challengePair, (one, one)),
        (book.registry.challengePair, (two, one)),
        (book.registry.challengeDevice, (one, neighbours)),
        (book.registry.challengeDevice, (one, [])),
    ):
        with brownie.reverts("NoFault: 7, 0"):
            call(posted.abi, *arguments, sender)
    assert book.registry.epochsPosted(7) == 1
    assert book.bonds() == [BOND] * 3


def test_challenge__proof_wrong__reverts(book):
    """ATTACKS 22: a line counts only with its own proof; inner nodes and other trees do not."""
    closed = _first_epoch(book)
    posted = Posted(closed.statement, closed.lines)
    book.post(posted.statement)
    (line, proof), two, sender = posted.proven(0), posted.proven(1), {"from": book.challenger}
    forged = (abi_line(posted.statement, replace(posted.lines[0], charge_micros=-1)), proof)
    pledged = book.pledge.proven(0)
    other = facility(8, window_start_s=book.terms.window_start_s)
    foreign = pledge_of(other).proven(0)

    for which, call, arguments in (
        (0, book.registry.challengeLine, (forged,)),
        (0, book.registry.challengeLine, ((line, proof[1:]),)),
        (0, book.registry.challengePair, (forged, two)),
        (1, book.registry.challengePair, (two, forged)),
        (0, book.registry.challengeDevice, (forged, [pledged])),
        (1, book.registry.challengeDevice, (two, [foreign])),
        (2, book.registry.challengeDevice, (two, [pledged, (1, *pledged[1:])])),
        # Card and first epoch are in the leaf too.
        (1, book.registry.challengeDevice, (two, [(*pledged[:2], ZERO32, *pledged[3:])])),
        (1, book.registry.challengeDevice, (two, [(*pledged[:3], 1, pledged[4])])),
    ):
        with brownie.reverts(f"ProofInvalid: {which}"):
            call(posted.abi, *arguments, sender)


def test_challenge_line__leaf_of_another_facility_or_epoch__is_foreign(book):
    """ATTACKS 22: no domain in the leaf."""
    closed = _first_epoch(book)
    for facility_id, epoch in ((8, 0), (7, 1)):
        lines = list(closed.lines)
        leaves = [leaf_hash(encode_line(FacilityId(7), Epoch(0), x)) for x in lines]
        leaves[1] = leaf_hash(encode_line(FacilityId(facility_id), Epoch(epoch), lines[1]))
        tree = MerkleTree(leaves)
        statement = replace(closed.statement, usage_root=tree.root)
        book.post(statement)
        abi = statement.as_abi_tuple()
        placed = replace(statement, facility_id=FacilityId(facility_id), epoch=Epoch(epoch))
        proven = (abi_line(placed, lines[1]), tree.proof(1))

        done = book.registry.challengeLine(abi, proven, {"from": book.challenger})

        assert done.events["StatementVoided"][0]["fault"] == int(FaultKind.LINE_FOREIGN)


@pytest.mark.parametrize("value", [0, 2**256 - 1])
def test_challenge_device__at_the_edges_of_the_pledge__voids(book, value):
    closed = _first_epoch(book)
    device = Bytes32(value.to_bytes(32, "big"))
    posted = Posted(closed.statement, [replace(closed.lines[0], subject=device), *closed.lines[1:]])
    book.post(posted.statement)
    edges = [book.pledge.proven(i) for i in (0, book.terms.device_count - 1)]
    inner = book.pledge.proven(1)
    right, wrong = edges if value == 0 else edges[::-1]
    sender = {"from": book.challenger}

    for neighbours in ([wrong], [inner], [edges[0], inner], edges, [edges[0], inner, edges[1]]):
        with brownie.reverts("NoFault: 7, 0"):
            book.registry.challengeDevice(posted.abi, posted.proven(0), neighbours, sender)
    done = book.registry.challengeDevice(posted.abi, posted.proven(0), [right], sender)
    assert done.events["StatementVoided"][0]["fault"] == int(FaultKind.DEVICE_NOT_PLEDGED)


def test_challenge_device__of_a_difference__finds_nothing(book):
    """A difference is of a lease: its subject is its component's name, and not pledged."""
    closed = _first_epoch(book)
    posted = Posted(closed.statement, closed.lines)
    place = next(i for i, x in enumerate(posted.lines) if x.kind is LineKind.TIER_DIFFERENCE)
    assert posted.lines[place].subject == keccak(b"tier")
    book.post(posted.statement)

    with brownie.reverts("NoFault: 7, 0"):
        book.registry.challengeDevice(
            posted.abi, posted.proven(place), [book.pledge.proven(0)], {"from": book.owner}
        )
