"""An attester's memory: what it signed, over restarts, cuts and strangers' files."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from api.attester.memory import SignedMemory, Signer
from api.domain.log.entry import NO_LOG, LogEnd
from api.domain.statements.statement import statement_hash
from api.domain.units import Bytes32, Epoch
from api.errors import Misconfigured
from tests.ledgers import closed_epochs

FIRST = closed_epochs(0)[0].statement
OTHER = replace(FIRST, evidence_hash=Bytes32(b"\1" * 32))
SECOND = replace(FIRST, epoch=Epoch(1))
SIGNER = Signer("0xa", 1, "0xb")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file in a folder that is not there yet."""
    return tmp_path / "var" / "memory.jsonl"


def _signed(file: Path) -> list[Bytes32]:
    """Rivals of a statement that was never signed, after a restart."""
    memory = SignedMemory(file)
    rivals = memory.rivals(SIGNER, replace(FIRST, line_count=77))
    memory.close()
    return rivals


def test_memory__restarted__knows_what_was_signed(file: Path) -> None:
    memory = SignedMemory(file)
    memory.remember(SIGNER, FIRST)
    memory.remember(SIGNER, FIRST)
    memory.remember(SIGNER, OTHER)
    memory.close()

    assert _signed(file) == sorted({statement_hash(FIRST), statement_hash(OTHER)})
    assert len(file.read_bytes().splitlines()) == 2


@pytest.mark.parametrize(
    "changes", [{"facility_id": 99}, {"epoch": Epoch(9)}, {"previous_statement_hash": b"\2" * 32}]
)
def test_rivals__other_facility_epoch_or_previous__are_none(changes: dict[str, object]) -> None:
    memory = SignedMemory(None)
    memory.remember(SIGNER, FIRST)

    assert memory.rivals(SIGNER, FIRST) == []
    assert memory.rivals(SIGNER, OTHER) == [statement_hash(FIRST)]
    assert memory.rivals(SIGNER, replace(OTHER, **changes)) == []  # type: ignore[arg-type]
    assert memory.rivals(replace(SIGNER, registry="0xc"), OTHER) == []
    assert memory.rivals(replace(SIGNER, attester="0xd"), OTHER) == []


def test_memory__cut_off_in_mid_line__forgets_only_what_was_never_signed(file: Path) -> None:
    memory = SignedMemory(file)
    memory.remember(SIGNER, FIRST)
    memory.close()
    whole = file.read_bytes()
    file.write_bytes(whole + whole[:30])

    memory = SignedMemory(file)
    memory.remember(SIGNER, OTHER)
    memory.close()

    assert _signed(file) == sorted({statement_hash(FIRST), statement_hash(OTHER)})


def test_memory__a_second_process__is_refused(file: Path) -> None:
    first = SignedMemory(file)

    with pytest.raises(Misconfigured, match="another process uses"):
        SignedMemory(file)
    first.close()
    SignedMemory(file).close()


@pytest.mark.parametrize("data", [b"nonsense\n", b"{}\n", b'{"attester": 1}\n', b"\xff\n"])
def test_memory__of_something_else__is_refused(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "memory"
    file.write_bytes(data)

    with pytest.raises(Misconfigured, match="not usable"):
        SignedMemory(file)


def test_memory__a_folder__is_refused(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="not usable"):
        SignedMemory(tmp_path)


def test_log_end__restarted__is_the_furthest_that_was_signed_over(file: Path) -> None:
    """Also beside lines of before logs had entries."""
    memory = SignedMemory(file)
    ends = [LogEnd(4, Bytes32(b"\4" * 32)), LogEnd(9, Bytes32(b"\x09" * 32))]
    for end, statement in zip((*ends, LogEnd(7)), (FIRST, OTHER, SECOND), strict=True):
        memory.remember(SIGNER, statement, end)
    memory.close()
    rows = [json.loads(line) for line in file.read_bytes().splitlines()]
    rows.append({k: v for k, v in rows[0].items() if not k.startswith("log_")})
    file.write_bytes(b"".join(json.dumps(row).encode() + b"\n" for row in rows))

    memory = SignedMemory(file)
    found = memory.log_end(SIGNER, FIRST.facility_id)
    others = memory.log_end(SIGNER, 99), memory.log_end(replace(SIGNER, chain_id=2), 7)
    memory.close()

    assert found == ends[1]
    assert others == (NO_LOG, NO_LOG)
