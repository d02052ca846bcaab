"""An attester's memory: what it signed, over restarts, cuts and strangers' files."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from api.attester.memory import SignedMemory
from api.attester.memory_rows import Bound
from api.domain.log.entry import NO_LOG, LogEnd
from api.domain.statements.statement import statement_hash
from api.domain.units import Bytes32, Epoch, FacilityId
from api.errors import Misconfigured
from tests.ledgers import closed_epochs

FIRST = closed_epochs(0)[0].statement
OTHER = replace(FIRST, evidence_hash=Bytes32(b"\1" * 32))
SECOND = replace(FIRST, epoch=Epoch(1))
BOUND = Bound("0xa", 1, "0xb")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file in a folder that is not there yet."""
    return tmp_path / "var" / "memory.jsonl"


def _signed(file: Path) -> list[Bytes32]:
    """Rivals of a statement that was never signed, after a restart."""
    memory = SignedMemory(file, BOUND)
    rivals = memory.rivals(replace(FIRST, line_count=77))
    memory.close()
    return rivals


def test_memory__restarted__knows_what_was_signed(file: Path) -> None:
    memory = SignedMemory(file, BOUND)
    memory.remember(FIRST)
    memory.remember(FIRST)
    memory.remember(OTHER)
    memory.close()

    assert _signed(file) == sorted({statement_hash(FIRST), statement_hash(OTHER)})
    assert len(file.read_bytes().splitlines()) == 3


@pytest.mark.parametrize(
    "changes", [{"facility_id": 99}, {"epoch": Epoch(9)}, {"previous_statement_hash": b"\2" * 32}]
)
def test_rivals__other_facility_epoch_or_previous__are_none(changes: dict[str, object]) -> None:
    memory = SignedMemory(None, BOUND)
    memory.remember(FIRST)

    assert memory.rivals(FIRST) == []
    assert memory.rivals(OTHER) == [statement_hash(FIRST)]
    assert memory.rivals(replace(OTHER, **changes)) == []  # type: ignore[arg-type]


def test_memory__cut_off_in_mid_line__forgets_only_what_was_never_signed(file: Path) -> None:
    memory = SignedMemory(file, BOUND)
    memory.remember(FIRST)
    memory.close()
    whole = file.read_bytes()
    file.write_bytes(whole + whole[:30])

    memory = SignedMemory(file, BOUND)
    memory.remember(OTHER)
    memory.close()

    assert _signed(file) == sorted({statement_hash(FIRST), statement_hash(OTHER)})


def test_memory__a_second_process__is_refused(file: Path) -> None:
    first = SignedMemory(file, BOUND)

    with pytest.raises(Misconfigured, match="another process uses"):
        SignedMemory(file, BOUND)
    first.close()
    SignedMemory(file, BOUND).close()


@pytest.mark.parametrize("data", [b"nonsense\n", b"{}\n", b'{"attester": 1}\n', b"\xff\n"])
def test_memory__of_something_else__is_refused(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "memory"
    file.write_bytes(data)

    with pytest.raises(Misconfigured, match="not usable"):
        SignedMemory(file, BOUND)


def test_memory__a_folder__is_refused(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="not usable"):
        SignedMemory(tmp_path, BOUND)


def test_log_end__restarted__is_the_furthest_that_was_signed_over(file: Path) -> None:
    """Also beside lines of before logs had entries."""
    memory = SignedMemory(file, BOUND)
    ends = [LogEnd(4, Bytes32(b"\4" * 32)), LogEnd(9, Bytes32(b"\x09" * 32))]
    for end, statement in zip((*ends, LogEnd(7)), (FIRST, OTHER, SECOND), strict=True):
        memory.remember(statement, end)
    memory.close()
    rows = [json.loads(line) for line in file.read_bytes().splitlines()]
    rows.append({k: v for k, v in rows[1].items() if not k.startswith("log_")})
    file.write_bytes(b"".join(json.dumps(row).encode() + b"\n" for row in rows))

    memory = SignedMemory(file, BOUND)
    found, other = memory.log_end(FIRST.facility_id), memory.log_end(FacilityId(99))

    memory.close()

    assert found == ends[1]
    assert other == NO_LOG


@pytest.mark.parametrize(
    "bound", [Bound("0xd", 1, "0xb"), Bound("0xa", 2, "0xb"), Bound("0xa", 1, "0xc")]
)
def test_memory__of_another_key_or_deployment__is_refused_and_left_alone(
    file: Path, bound: Bound
) -> None:
    """Also one that signed nothing yet."""
    SignedMemory(file, BOUND).close()
    before = file.read_bytes()

    with pytest.raises(Misconfigured, match=f"memory of 0xa on chain 1.*is {bound.attester}"):
        SignedMemory(file, bound)
    assert file.read_bytes() == before


def test_memory__of_before_kinds_were_named__is_read(file: Path) -> None:
    memory = SignedMemory(file, BOUND)
    memory.remember(FIRST)
    memory.close()
    file.write_bytes(file.read_bytes().splitlines(keepends=True)[1])

    assert _signed(file) == [statement_hash(FIRST)]


def test_begun__new_known_or_told__is_the_first_epoch_that_is_signed(file: Path) -> None:
    memory = SignedMemory(file, BOUND)
    told, new = FacilityId(8), FacilityId(9)
    memory.remember(FIRST)
    memory.begin(told, Epoch(3))
    memory.close()

    memory = SignedMemory(file, BOUND)
    found = [memory.begun(i) for i in (FIRST.facility_id, told, new)]
    memory.close()

    assert found == [0, 3, None]


def test_remember__disk_is_full__signs_nothing_and_spoils_nothing(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = SignedMemory(file, BOUND)
    memory.remember(FIRST)
    whole = file.read_bytes()

    def full(descriptor: int, data: bytes) -> int:
        if len(data) < 50:
            raise OSError(28, "No space left on device")
        return write(descriptor, data[:-40])

    write = os.write
    monkeypatch.setattr(os, "write", full)
    with pytest.raises(Misconfigured, match="No space left"):
        memory.remember(OTHER)
    monkeypatch.undo()
    with pytest.raises(Misconfigured, match="closed"):
        memory.remember(OTHER)

    assert file.read_bytes() == whole
    assert _signed(file) == [statement_hash(FIRST)]


def test_remember__file_was_taken_away__signs_nothing(file: Path) -> None:
    """A backup put in its place would forget what is signed from now on."""
    memory = SignedMemory(file, BOUND)
    file.rename(file.with_name("elsewhere"))
    file.write_bytes(b"")

    with pytest.raises(Misconfigured, match="another file is in its place"):
        memory.remember(FIRST)
