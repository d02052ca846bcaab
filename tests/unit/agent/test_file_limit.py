"""A disk that takes no more: the system's own limit of a file's size stands in for it."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
_PROGRAM = """\
import resource, signal, sys
from pathlib import Path
from tests.factories import START_S
from tests.unit.agent.desk import make_book, names, open_spool, said, use
from api.agent.failures import SpoolFailed
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
spool = open_spool(Path(sys.argv[1]))
book = make_book(spool)
book.take(said(10, use("first", 0, 0)), now_s=START_S + 10)
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))
uses = [use(f"job-{i}", i, 0) for i in range(1, 2_001)]
for _ in range(3):
    try:
        book.take(said(20, use("first", 0, 0), *uses), now_s=START_S + 20)
    except SpoolFailed as error:
        print("full:", error.message)
print(len(names(spool)))
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
book.take(said(30, use("first", 0, 0), *uses), now_s=START_S + 30)
print(len(names(spool)), len(set(names(spool))))
"""


def test_spool__on_a_disk_that_is_full__keeps_all_of_a_step_or_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _PROGRAM, str(tmp_path)]

    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)

    *full, during, after = said.stdout.splitlines()
    assert len(full) == 3
    assert all("cannot be written" in line for line in full)
    assert (during, after) == ("1", "2001 2001")
