"""What verify found: every finding has a stable code, and a place in the evidence and the chain."""

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace

from api.chain.events import AnyEvent
from api.domain.units import Bytes32
from api.errors import AppError, ChainUnavailable
from api.evidence_store import HOSTILE


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that does not hold, and where, as far as each applies.

    code: stable, for machines; docs/EVIDENCE.md lists them.
    epoch: number of a statement.  line: of the file, from 1.
    block, tx_hash, log_index: of the event that was judged; of what storage says, the block alone.
    """

    message: str
    facility_id: int | None = None
    epoch: int | None = None
    file: str | None = None
    code: str = field(default="", kw_only=True)
    line: int | None = field(default=None, kw_only=True)
    block: int | None = field(default=None, kw_only=True)
    tx_hash: Bytes32 | None = field(default=None, kw_only=True)
    log_index: int | None = field(default=None, kw_only=True)

    def sentence(self) -> str:
        """Place and message in one line."""
        labels = []
        if self.facility_id is not None:
            labels.append(f"facility {self.facility_id}")
        if self.epoch is not None:
            labels.append(f"epoch {self.epoch}")
        if self.file is not None:
            labels.append(self.file if self.line is None else f"{self.file} line {self.line}")
        return f"{', '.join(labels)}: {self.message}" if labels else self.message

    def on_chain(self) -> str:
        """Where on the chain, in words; empty where it is of files alone."""
        labels = []
        if self.block is not None:
            labels.append(f"block {self.block}")
        if self.tx_hash is not None:
            labels.append(f"transaction 0x{self.tx_hash.hex()}")
        if self.log_index is not None:
            labels.append(f"log {self.log_index}")
        return ", ".join(labels)

    def document(self) -> dict[str, object]:
        """As JSON has it: names that do not apply are left out."""
        values = {
            "code": self.code,
            "message": self.message,
            "facility_id": self.facility_id,
            "epoch": self.epoch,
            "file": self.file,
            "line": self.line,
            "block": self.block,
            "tx_hash": None if self.tx_hash is None else "0x" + self.tx_hash.hex(),
            "log_index": self.log_index,
        }
        return {name: value for name, value in values.items() if value is not None}


Report = Callable[[Finding], None]


class Findings:
    """Collects findings; gives each the place on the chain that is looked at, and its code."""

    def __init__(self) -> None:
        self._found: dict[Finding, None] = {}
        self._event: AnyEvent | None = None
        self._block: int | None = None

    @property
    def found(self) -> tuple[Finding, ...]:
        """All findings, in order, each once."""
        return tuple(self._found)

    def look_at(self, event: AnyEvent) -> None:
        """What is found from now on is of an event."""
        self._event, self._block = event, event.block_number

    def look_at_storage(self, block: int) -> None:
        """What is found from now on is of the contracts' storage at a block."""
        self._event, self._block = None, block

    def of(self, part: str) -> Report:
        """Takes findings of one part of the verifier.

        One without a code is of the event that is looked at, `<part>_<event>`, or of what a
        contract stores, `<part>_stored`.
        """

        def report(finding: Finding) -> None:
            event = self._event
            code = f"{part}_{_snake(event.name) if event else 'stored'}"
            if finding.block is None:
                finding = replace(
                    finding,
                    block=self._block,
                    tx_hash=event.tx_hash if event else None,
                    log_index=event.log_index if event else None,
                )
            self._found[replace(finding, code=finding.code or code)] = None

        return report

    def guard(self, part: str, act: Callable[[], None]) -> None:
        """Do one step of a part: what cannot be done is a finding, and the rest goes on.

        A history that lacks an event, or evidence of hostile types, contradicts what came before.
        Raises:  ChainUnavailable: without a node nothing can be judged.
        """
        try:
            act()
        except ChainUnavailable:
            raise
        except (AppError, AssertionError, *HOSTILE) as error:
            facility_id = None
            if self._event is not None:
                facility_id = getattr(self._event.args, "facility_id", None)
            name = "the contracts' storage" if self._event is None else self._event.name
            said = error.message if isinstance(error, AppError) else repr(error)
            message = f"{name} cannot be judged by what came before: {said}"
            self.of(part)(Finding(message, facility_id, code="cannot_be_judged"))


def _snake(name: str) -> str:
    """`RentPaid` as `rent_paid`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def shortened(text: str, *, most: int = 200) -> str:
    """Text of strangers, cut to a length that a report can show."""
    return text if len(text) <= most else f"{text[:most]}… ({len(text)} characters)"


def first_difference(ours: bytes, theirs: bytes) -> int:
    """Number, from 1, of the first line in which two files differ."""
    left, right = ours.split(b"\n"), theirs.split(b"\n")
    with suppress(StopIteration):
        return next(i for i, (a, b) in enumerate(zip(left, right, strict=False), 1) if a != b)
    return min(len(left), len(right))
