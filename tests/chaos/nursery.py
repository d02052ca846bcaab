"""A process that forks the service's processes: starting Python costs more than all they do.

It reads one JSON object a line: `id`, `arguments`, `environment`, `log`. It writes `born` with its
`pid` and, when a child ends, `gone` with its `code`. Each child has a clock of its own: the seconds
in the file `CHAOS_CLOCK` are added to this machine's.
"""

import json
import os
import select
import sys
import time
from pathlib import Path


def _move_clock(file: Path) -> None:
    real = time.time

    def moved() -> float:
        try:
            return real() + float(file.read_text())
        except (OSError, ValueError):
            # It is being written: some reads later it is there.
            return moved()

    time.time = moved


def _child(order: dict[str, object]) -> None:
    log = os.open(str(order["log"]), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.closerange(3, 256)
    environment = order["environment"]
    assert isinstance(environment, dict)
    os.environ.update(environment)
    _move_clock(Path(os.environ["CHAOS_CLOCK"]))
    from api.cli.commands import app
    from tests.chaos.broken import break_code

    break_code(os.environ["CHAOS_BROKEN"])
    code = 0
    try:
        app(order["arguments"])
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        import traceback

        traceback.print_exc()
        code = 70
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _import_all() -> None:
    """Everything that a child will need: it then starts within milliseconds.

    Ours too: it asks `time.time`, which is the child's own by then.
    """
    import uvicorn  # noqa: F401

    import api.attester.running
    import api.cli.server
    import api.cli.worker_process
    import api.main  # noqa: F401


def main() -> None:
    """Serve until standard input ends."""
    _import_all()
    print(json.dumps({"ready": True}), flush=True)
    waiting = b""
    while True:
        readable, _, _ = select.select([0], [], [], 0.02)
        if readable:
            part = os.read(0, 65_536)
            if not part:
                return
            waiting += part
            *lines, waiting = waiting.split(b"\n")
            for line in lines:
                order = json.loads(line)
                pid = os.fork()
                if pid == 0:
                    _child(order)
                print(json.dumps({"born": order["id"], "pid": pid}), flush=True)
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if pid == 0:
                break
            print(json.dumps({"gone": pid, "code": os.waitstatus_to_exitcode(status)}), flush=True)


if __name__ == "__main__":
    main()
