"""Moving a memory: one signer stops before another goes on, and two logs are never one."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from api.attester.memory import SignedMemory
from api.attester.memory_rows import Bound, Moved
from api.attester.moving import Extends, export_memory, holds, import_memory
from api.domain.log.entry import ZERO32, Entry, EntryKind, LogEnd, LogName, entry_hash
from api.domain.statements.statement import Statement, statement_hash
from api.domain.units import Address, Bytes32, Epoch, FacilityId
from api.errors import Conflict, InvalidInput, Misconfigured
from tests.ledgers import closed_epochs

FIRST = closed_epochs(0)[0].statement
FACILITY = FIRST.facility_id
SECOND = replace(FIRST, epoch=Epoch(1))
RIVAL = replace(FIRST, evidence_hash=Bytes32(b"\1" * 32))
BOUND = Bound("0xa", 1, "0xb")
NOW_S = 1_800_000_000
Rows = dict[Statement, LogEnd]


def end(size: int, of: int = 0) -> LogEnd:
    """The end of a log, one of several."""
    return LogEnd(size, Bytes32(bytes([size, of]) * 16))


def never(facility_id: FacilityId, lower: LogEnd, higher: LogEnd) -> bool:
    """Nobody is to be asked."""
    raise AssertionError


@pytest.fixture
def opened(tmp_path: Path) -> Iterator["Opener"]:
    """Opens memories by name, and closes them."""
    opener = Opener(tmp_path)
    yield opener
    opener.close()


class Opener:
    """Memories in files."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._open = folder, dict[str, SignedMemory]()

    def __call__(self, name: str, signed: Rows | None = None) -> SignedMemory:
        """A memory as a fresh process finds it, which then signs some statements."""
        if name in self._open:
            self._open[name].close()
        memory = self._open[name] = SignedMemory(self.folder / name, BOUND)
        for statement, log in (signed or {}).items():
            memory.remember(statement, log)
        return memory

    def close(self) -> None:
        for memory in self._open.values():
            memory.close()


def _import(memory: SignedMemory, document: bytes, extends: Extends = never) -> list[FacilityId]:
    return import_memory(memory, document, extends=extends, now_s=NOW_S)


def test_export__signer_is_stopped_for_good(opened: Opener) -> None:
    export_memory(opened("here", {FIRST: end(4)}), now_s=NOW_S)

    again = opened("here")
    with pytest.raises(Misconfigured, match="exported at 2027-01-15"):
        again.require_active()
    with pytest.raises(Misconfigured, match="signs no more"):
        again.remember(SECOND)
    with pytest.raises(Misconfigured, match="signs no more"):
        again.begin(FacilityId(9), Epoch(1))


def test_export__asked_again__gives_the_same(opened: Opener) -> None:
    """What was lost on its way is no reason to sign from the old file."""
    first = export_memory(opened("here", {FIRST: end(4)}), now_s=NOW_S)

    assert export_memory(opened("here"), now_s=NOW_S + 9) == first


def test_import__into_a_new_file__knows_all_and_signs_on(opened: Opener) -> None:
    here = opened("here", {FIRST: end(4), SECOND: end(6)})
    here.begin(FacilityId(9), Epoch(3))
    document = export_memory(here, now_s=NOW_S)

    facilities = _import(opened("there"), document)

    there = opened("there")
    assert facilities == [FACILITY]
    assert there.rivals(RIVAL) == [statement_hash(FIRST)]
    assert there.log_end(FACILITY) == end(6)
    assert there.begun(FacilityId(9)) == 3
    there.remember(replace(FIRST, epoch=Epoch(2)))


def test_import__back_and_forth__only_the_last_one_signs(opened: Opener) -> None:
    first = export_memory(opened("a", {FIRST: end(4)}), now_s=NOW_S)
    b = opened("b")
    _import(b, first)
    b.remember(SECOND, end(6))
    second = export_memory(b, now_s=NOW_S + 1)
    a = opened("a")
    _import(a, second)
    a.remember(replace(FIRST, epoch=Epoch(2)), end(8))

    with pytest.raises(Misconfigured, match="signs no more"):
        opened("b").require_active()
    assert opened("a").log_ends(FACILITY).keys() == {4, 6, 8}


def test_import__own_or_old_export__is_refused(opened: Opener) -> None:
    """Else two files would sign: the one where the export went, and this one."""
    document = export_memory(opened("a", {FIRST: end(4)}), now_s=NOW_S)
    with pytest.raises(Conflict, match="made from this very file"):
        _import(opened("a"), document)
    b = opened("b")
    _import(b, document)
    newer = export_memory(b, now_s=NOW_S)
    with pytest.raises(Conflict, match="imported into this memory before"):
        _import(opened("b"), document)
    with pytest.raises(Conflict, match="made from this very file"):
        _import(opened("b"), newer)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda d: b"", "no whole export"),
        (lambda d: b"nonsense\n", "no export"),
        (lambda d: d[:-10], "no whole export"),
        (lambda d: d[: d[:-1].rindex(b"\n") + 1], "no whole export"),
        (lambda d: b"".join(d.splitlines(keepends=True)[1:]), "no whole export"),
        (lambda d: d.replace(b'"chain_id": 1', b'"chain_id": 2'), "memory of 0xa on chain 2"),
        (lambda d: d.replace(b"0xa", b"0xc"), "memory of 0xc"),
        (lambda d: d.replace(b'"exported"', b'"imported"'), "no whole export"),
        (lambda d: d.replace(b'"exported"', b'"other"'), "no export"),
    ],
)
def test_import__spoilt_or_anothers__is_refused_and_nothing_kept(
    opened: Opener, spoil: object, message: str
) -> None:
    document = export_memory(opened("here", {FIRST: end(4)}), now_s=NOW_S)
    there = opened("there")

    with pytest.raises(InvalidInput, match=message):
        _import(there, spoil(document))  # type: ignore[operator]

    assert len(there.rows) == 1
    there.require_active()


def test_import__a_log_of_the_same_length_is_another__is_refused(opened: Opener) -> None:
    document = export_memory(opened("here", {FIRST: end(4), SECOND: end(6)}), now_s=NOW_S)
    there = opened("there", {FIRST: end(4, of=1)})

    with pytest.raises(Conflict, match="none extends the other"):
        _import(there, document)
    there.require_active()


def test_import__a_longer_log_passed_through_ours__asks_nobody(opened: Opener) -> None:
    document = export_memory(opened("here", {FIRST: end(4), SECOND: end(6)}), now_s=NOW_S)
    there = opened("there", {FIRST: end(4)})

    _import(there, document)

    assert there.log_end(FACILITY) == end(6)


@pytest.mark.parametrize(("ours", "theirs"), [(4, 6), (6, 4)])
@pytest.mark.parametrize("extends", [True, False])
def test_import__logs_of_other_lengths__are_compared_by_the_log_itself(
    opened: Opener, ours: int, theirs: int, extends: bool
) -> None:
    document = export_memory(opened("here", {FIRST: end(theirs)}), now_s=NOW_S)
    there = opened("there", {SECOND: end(ours)})
    asked = []

    def ask(*about: object) -> bool:
        asked.append(about)
        return extends

    if extends:
        _import(there, document, ask)
        assert there.log_end(FACILITY) == end(6)
    else:
        with pytest.raises(Conflict, match="none extends the other"):
            _import(there, document, ask)
        assert there.log_end(FACILITY) == end(ours)
    assert asked == [(FACILITY, end(4), end(6))]


def test_import__cut_off__does_not_sign_until_it_is_done_again(opened: Opener) -> None:
    document = export_memory(opened("here", {FIRST: end(4), SECOND: end(6)}), now_s=NOW_S)
    other = export_memory(opened("other"), now_s=NOW_S)
    _import(opened("there"), document)
    file = opened.folder / "there"
    lines = file.read_bytes().splitlines(keepends=True)
    assert len(lines) == 5

    for kept in (2, 3, 4):
        opened("there").close()
        file.write_bytes(b"".join(lines[:kept]))
        there = opened("there")
        with pytest.raises(Misconfigured, match="cut off"):
            there.remember(SECOND)
        with pytest.raises(Conflict, match="cut off"):
            export_memory(there, now_s=NOW_S)
        with pytest.raises(Conflict, match="cut off"):
            _import(there, other)
        _import(there, document)
        there.require_active()
        assert there.log_ends(FACILITY).keys() == {4, 6}


def test_import__begun_later__keeps_the_later(opened: Opener) -> None:
    here, there = opened("here"), opened("there")
    for memory, epochs in ((here, (1, 7)), (there, (3, 3))):
        for facility, epoch in zip((8, 9), epochs, strict=True):
            memory.begin(FacilityId(facility), Epoch(epoch))

    _import(there, export_memory(here, now_s=NOW_S))

    assert [there.begun(FacilityId(i)) for i in (8, 9)] == [3, 7]
    last = json.loads((opened.folder / "there").read_bytes().splitlines()[-1])
    assert (last["kind"], last["rows"]) == ("imported", 3)
    assert isinstance(there.rows[-1], Moved)


# --- whether a log holds two ends ----------------------------------------------------------------


def _log(length: int) -> list[Entry]:
    name, entries, previous = LogName(1, Address("0x" + "ab" * 20), FACILITY), [], ZERO32
    for number in range(1, length + 1):
        said = Bytes32(bytes([number]) * 32)
        entry = Entry(name, number, previous, EntryKind.BATCH, said, ZERO32, NOW_S, ZERO32)
        entries.append(entry)
        previous = entry_hash(entry)
    return entries


def test_holds__ends_on_it_beside_it_or_beyond_it__are_told_apart() -> None:
    log = _log(5)
    ends = [LogEnd(entry.number, entry_hash(entry)) for entry in log]

    assert holds(log, ends[1], ends[4])
    assert not holds(log, ends[1], LogEnd(5, Bytes32(b"\1" * 32)))
    assert not holds(log[:4], ends[1], ends[4])
    assert not holds([*log[:2], *log[3:]], ends[1], ends[4])


def test_holds__a_made_up_entry_in_between__is_no_log() -> None:
    """A service that knows both ends cannot join them."""
    log = _log(5)
    ends = [LogEnd(entry.number, entry_hash(entry)) for entry in log]
    log[2] = replace(log[2], body=Bytes32(rb"\9" * 32))

    assert not holds(log, ends[1], ends[4])
