"""A process that forks one signer for each line it reads; each kills itself at a chosen call.

A line: memory's file, first and last epoch, and at how many calls that write it dies by SIGKILL.
What leaves, a line a signature, goes to the file beside it: before a signature leaves, the memory
must hold it.
"""

import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from api.attester.memory import SignedMemory
from api.attester.memory_rows import Bound
from api.attester.moving import export_memory
from api.domain.log.entry import LogEnd
from api.domain.statements.statement import statement_hash
from api.domain.units import Bytes32, Epoch
from tests.ledgers import closed_epochs

BOUND = Bound("0xa", 1, "0xb")
_FIRST = closed_epochs(0)[0].statement
_SAID = ("write", "fsync", "ftruncate", "open")


def statement(epoch: int, tried: int) -> Any:
    """Of one epoch, other evidence with each try: two tries are rivals."""
    return replace(_FIRST, epoch=Epoch(epoch), evidence_hash=Bytes32(bytes([tried]) * 32))


def _die_at(call: int) -> None:
    """Kill this process at a call that changes the disk: before it, or in the middle of a write."""
    left = [call]
    write = os.write

    def dying(name: str) -> Any:
        real = getattr(os, name)

        def act(*arguments: Any, **more: Any) -> Any:
            left[0] -= 1
            if left[0] == 0:
                if name == "write":
                    write(arguments[0], arguments[1][: len(arguments[1]) // 2])
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*arguments, **more)

        return act

    for name in _SAID:
        setattr(os, name, dying(name))


def sign_all(file: Path, first: int, last: int, tried: int, call: int) -> None:
    """Sign one statement an epoch unless a rival was signed, then export."""
    with file.with_name("left").open("ab", buffering=0) as left:
        _die_at(call)
        memory = SignedMemory(file, BOUND)
        for epoch in range(first, last):
            said = statement(epoch, tried)
            if memory.exported is None and not memory.rivals(said):
                memory.remember(said, LogEnd(epoch + 1, Bytes32(bytes([tried]) * 32)))
                left.write(f"{epoch} {statement_hash(said).hex()}\n".encode())
        document = export_memory(memory, now_s=1_800_000_000)
        left.write(b"exported " + document.hex().encode() + b"\n")


def main() -> None:
    """Read lines until there is none."""
    for line in sys.stdin:
        file, first, last, tried, call = line.split()
        pid = os.fork()
        if pid == 0:
            sign_all(Path(file), int(first), int(last), int(tried), int(call))
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        print(os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0, flush=True)


if __name__ == "__main__":
    main()
