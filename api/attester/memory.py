"""What an attester signed, kept in a file: whoever signs two rival statements can be charged.

With each statement the end of the log that it rests on, so that no later log can be another.
"""

import fcntl
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from api.domain.json_text import as_bytes32, as_integer, as_object, as_text, read_json
from api.domain.log.entry import NO_LOG, LogEnd
from api.domain.statements.evidence import hex32
from api.domain.statements.statement import Statement, statement_hash
from api.domain.units import Bytes32
from api.errors import Misconfigured


@dataclass(frozen=True, slots=True)
class Signer:
    """For whom and for which contract a statement was signed."""

    attester: str
    chain_id: int
    registry: str


# Statements of one such place are rivals: `ISignerCharges.chargeEquivocation`.
_Place = tuple[Signer, int, int, Bytes32]


class SignedMemory:
    """Statements that were signed, by signer, facility, epoch and previous statement.

    A line of JSON each, in a file of one process. Without a file, what was signed is forgotten
    with the process. Raises Misconfigured for a file that cannot be used or is something else.
    """

    def __init__(self, file: Path | None) -> None:
        self._signed: dict[_Place, set[Bytes32]] = {}
        self._logs: dict[tuple[Signer, int], LogEnd] = {}
        self._out: BinaryIO | None = None
        if file is None:
            return
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            self._out = file.open("a+b")
            # Two processes with one key would not know what the other signed.
            fcntl.flock(self._out, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._load(self._out)
        except BlockingIOError as error:
            self.close()
            message = f"another process uses the attester's memory {file}"
            raise Misconfigured(message) from error
        except (OSError, ValueError, LookupError, TypeError, ArithmeticError) as error:
            self.close()
            raise Misconfigured(f"the attester's memory {file} is not usable: {error!r}") from error

    def close(self) -> None:
        """Let go of the file."""
        if self._out is not None:
            self._out.close()

    def _load(self, out: BinaryIO) -> None:
        out.seek(0)
        data = out.read()
        # What a crash cut off was never sent: a line is whole on the disk before it is signed.
        whole, _, cut = data.rpartition(b"\n")
        if cut:
            out.truncate(len(data) - len(cut))
        for line in whole.splitlines():
            self._keep(line)

    def _keep(self, line: bytes) -> None:
        row = as_object(read_json(line))
        signer = Signer(
            as_text(row["attester"]), as_integer(row["chain_id"]), as_text(row["registry"])
        )
        place = (
            signer,
            as_integer(row["facility_id"]),
            as_integer(row["epoch"]),
            as_bytes32(row["previous"]),
        )
        self._signed.setdefault(place, set()).add(as_bytes32(row["statement"]))
        # Lines of before logs had entries name none.
        if "log_size" in row:
            end = LogEnd(as_integer(row["log_size"]), as_bytes32(row["log_head"]))
            self._keep_log(place[0], place[1], end)

    def _keep_log(self, signer: Signer, facility_id: int, end: LogEnd) -> None:
        if end.size > self.log_end(signer, facility_id).size:
            self._logs[signer, facility_id] = end

    def log_end(self, signer: Signer, facility_id: int) -> LogEnd:
        """The furthest end of a facility's log that was signed over."""
        return self._logs.get((signer, facility_id), NO_LOG)

    def rivals(self, signer: Signer, statement: Statement) -> list[Bytes32]:
        """Hashes of other statements of the same place that were signed, ascending."""
        signed = self._signed.get(_place(signer, statement), set())
        return sorted(signed - {statement_hash(statement)})

    def remember(self, signer: Signer, statement: Statement, log: LogEnd = NO_LOG) -> None:
        """Keep a statement, and the log's end that it rests on, before it is signed: no crash
        forgets it. Raises Misconfigured."""
        place, hashed = _place(signer, statement), statement_hash(statement)
        if hashed in self._signed.get(place, set()):
            return
        row = {
            "attester": signer.attester,
            "chain_id": signer.chain_id,
            "registry": signer.registry,
            "facility_id": statement.facility_id,
            "epoch": statement.epoch,
            "previous": hex32(statement.previous_statement_hash),
            "statement": hex32(hashed),
            "log_size": log.size,
            "log_head": hex32(log.head),
        }
        if self._out is not None:
            self._append(self._out, json.dumps(row).encode() + b"\n")
        self._signed.setdefault(place, set()).add(hashed)
        self._keep_log(signer, statement.facility_id, log)

    @staticmethod
    def _append(out: BinaryIO, line: bytes) -> None:
        try:
            out.write(line)
            out.flush()
            os.fsync(out.fileno())
        except (OSError, ValueError) as error:
            message = f"the attester's memory cannot be written: {error}"
            raise Misconfigured(message) from error


def _place(signer: Signer, statement: Statement) -> _Place:
    return signer, statement.facility_id, statement.epoch, statement.previous_statement_hash
