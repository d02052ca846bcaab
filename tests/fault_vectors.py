"""Golden vectors of leaves, hashes and faults: `python -m tests.fault_vectors` writes them.

tests/unit/statements/test_faults.py compares the file with what this module makes; forge tests
read the ABI encodings:
`window` is `uint64[4]`, start, end, epoch length and seal of the facility; `lines` is
`(Statement, Line, bytes32 statementHash, bytes32 leaf, uint8 fault)[]`,
`pairs` is `(Line first, Line second, uint8 fault)[]`, `pledges` (whole cards) and `slices` are
`(uint64 facilityId, uint32 index, bytes32 device, bytes32 card, uint32 fromEpoch,
bytes32 leaf)[]`.
"""

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from api.domain.hashing import keccak, word
from api.domain.merkle import leaf_hash
from api.domain.metering.usage import LineKind
from api.domain.pledges import PledgedDevice, pledge_leaf, pledge_tree, whole_cards
from api.domain.statements.closing import ClosedEpoch
from api.domain.statements.faults import FaultKind, line_fault, pair_fault
from api.domain.statements.lines import Line, encode_line
from api.domain.statements.statement import Statement, statement_hash
from api.domain.units import Epoch, FacilityId
from tests.ledgers import EPOCH_S, Ledger, closed_books, facility

FILE = Path(__file__).parent / "vectors" / "faults.json"
SEEDS = range(12)
TERMS = facility()


def mutations(statement: Statement, line: Line) -> Iterator[Line]:
    """Lines that differ from an honest one in one field, to bounds and beyond."""
    start_s, end_s = statement.epoch_start_s, statement.epoch_end_s
    yield replace(line, index=statement.line_count)
    yield replace(line, index=2**32 - 1)
    for kind in (*range(12), 12, 255):
        yield replace(line, kind=kind)  # type: ignore[arg-type]
    yield replace(line, end_s=line.start_s)
    yield replace(line, start_s=line.end_s, end_s=line.start_s)
    for instant_s in (0, start_s - 1, start_s, end_s, 2**64 - 1):
        yield replace(line, start_s=instant_s)
        yield replace(line, end_s=instant_s)
    yield replace(line, start_s=start_s - EPOCH_S, end_s=start_s)
    yield replace(line, start_s=start_s - EPOCH_S, end_s=start_s + 1)
    for kind in (LineKind.LATE, LineKind.LATE_DELIVERY, LineKind.VOID):
        late = replace(line, kind=kind, gpu_seconds=0, charge_micros=0)
        for begin_s in (start_s - EPOCH_S, start_s - EPOCH_S - 1):
            yield replace(late, start_s=begin_s, end_s=begin_s + EPOCH_S)
    for end_s in (TERMS.sealed_at_s, TERMS.sealed_at_s + 1):
        yield replace(line, start_s=TERMS.window_start_s, end_s=end_s)
    yield replace(line, start_s=TERMS.window_start_s - 1)
    for seconds in (0, 1, line.end_s - line.start_s + 1, 2**64 - 1):
        yield replace(line, gpu_seconds=seconds)
    for charge in (-(2**127), -1, 0, 1, 2**127 - 1):
        yield replace(line, charge_micros=charge)
        yield replace(line, cumulative_charge_micros=charge)
    for total in (0, line.cumulative_gpu_seconds + 1, 2**64 - 1):
        yield replace(line, cumulative_gpu_seconds=total)
    yield replace(line, subject=keccak(b"other device"))
    yield replace(line, subject=keccak(b"sla"))


def line_cases() -> list[tuple[Statement, Line, int]]:
    """Honest lines and their mutations, with what `line_fault` says."""
    cases = []
    for closed in _closed():
        statement = closed.statement
        for line in closed.lines[:1] + closed.lines[-1:] + closed.lines[3:4]:
            candidates = (line, *mutations(statement, line))
            cases += [(statement, x, line_fault(TERMS, statement, x) or 0) for x in candidates]
    return _thin(cases)


def pair_cases() -> list[tuple[Line, Line, int]]:
    """Adjacent honest lines, and pairs in which one of them is mutated."""
    cases = []
    for closed in _closed():
        for first, second in pairwise(closed.lines):
            cases.append((first, second, pair_fault(first, second) or 0))
            changed = _pair_mutations(closed.statement, first, second)
            cases += [(*pair, pair_fault(*pair) or 0) for pair in changed]
    # Equal lines are no pair on-chain: the judge refuses one leaf given twice.
    return _thin([c for c in cases if c[0] != c[1]])


def _pair_mutations(statement: Statement, first: Line, second: Line) -> Iterator[tuple[Line, Line]]:
    for changed in mutations(statement, second):
        yield first, changed
    yield second, first
    yield first, replace(second, index=first.index)
    yield first, replace(second, index=first.index + 2)
    twin = replace(first, index=second.index)
    yield first, twin
    for kind in (LineKind.USAGE, LineKind.DELIVERY):
        yield first, replace(twin, kind=kind, start_s=first.end_s - 1, end_s=first.end_s + 9)
        yield first, replace(twin, kind=kind, start_s=first.end_s, end_s=first.end_s + 9)


def _closed() -> list[ClosedEpoch]:
    ledgers = (Ledger(seed, TERMS) for seed in SEEDS)
    return [closed for ledger in ledgers for closed in closed_books(ledger) if closed.lines]


def _thin(cases: Sequence[Any], *, most: int = 10) -> list[Any]:
    """At most so many cases of each fault, chosen at random but always the same."""
    dice = random.Random(3)
    by_fault: dict[int, list[Any]] = {}
    for case in cases:
        by_fault.setdefault(case[-1], []).append(case)
    chosen = []
    for _, found in sorted(by_fault.items()):
        chosen += found if len(found) <= most else dice.sample(found, most)
    return chosen


def _array(elements: Sequence[bytes]) -> str:
    """ABI encoding of a dynamic array of static tuples, as the only argument."""
    return "0x" + (word(32) + word(len(elements)) + b"".join(elements)).hex()


def _words(statement: Statement) -> bytes:
    return b"".join(f if isinstance(f, bytes) else word(f) for f in statement.as_abi_tuple())


def document() -> dict[str, Any]:
    """The whole file."""
    lines, pairs = line_cases(), pair_cases()
    encoded_lines = []
    for statement, line, fault in lines:
        encoded = encode_line(statement.facility_id, statement.epoch, line)
        hashes = statement_hash(statement) + leaf_hash(encoded)
        encoded_lines.append(_words(statement) + encoded + hashes + word(fault))
    encoded_pairs = [
        encode_line(statement_id, epoch, first)
        + encode_line(statement_id, epoch, second)
        + word(fault)
        for (first, second, fault) in pairs
        for statement_id, epoch in [(lines[0][0].facility_id, lines[0][0].epoch)]
    ]
    devices = whole_cards(sorted(keccak(b"%d" % i) for i in range(5)))
    # Slices of two cards, of which some come later: no word of a leaf is like another.
    slices = [
        PledgedDevice(pledged.device, keccak(b"card %d" % (i % 2)), Epoch(i + 1))
        for i, pledged in enumerate(devices)
    ]
    facility_id = lines[0][0].facility_id
    window = (TERMS.window_start_s, TERMS.window_end_s, TERMS.epoch_length_s, TERMS.seal_s)
    pledges = [_pledge(facility_id, i, pledged) for i, pledged in enumerate(devices)]
    return {
        "faults": {fault.name: int(fault) for fault in FaultKind},
        "pledge_root": "0x" + pledge_tree(facility_id, devices).root.hex(),
        "slice_root": "0x" + pledge_tree(facility_id, slices).root.hex(),
        "counts": {"lines": len(lines), "pairs": len(pairs), "pledges": len(pledges)},
        "window": "0x" + b"".join(map(word, window)).hex(),
        "lines": _array(encoded_lines),
        "pairs": _array(encoded_pairs),
        "pledges": _array(pledges),
        "slices": _array([_pledge(facility_id, i, pledged) for i, pledged in enumerate(slices)]),
    }


def _pledge(facility_id: FacilityId, index: int, pledged: PledgedDevice) -> bytes:
    words = word(facility_id) + word(index) + pledged.device + pledged.card
    return words + word(pledged.from_epoch) + pledge_leaf(facility_id, index, pledged)


def text() -> str:
    """The file's text."""
    return json.dumps(document(), indent=1) + "\n"


if __name__ == "__main__":
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(text())
