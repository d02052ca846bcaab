"""A process that has imported the application and forks one API process for each line it reads.

Starting Python anew for each of hundreds of kills would take longer than all else. A line names
the listening socket of the process, handed down so that its port goes on when the process is
killed. Prints each pid.
"""

import os
import signal
import socket
import sys
from pathlib import Path

import uvicorn

from tests.integration.service import change_service, make_app


def _serve(listener: socket.socket, database_url: str, folder: Path, now_s: int) -> None:
    app = make_app(database_url, folder, ingest_requests_per_s=1e6, ingest_events_per_s=1e6)
    change_service(app, clock=lambda: now_s)
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical"))
    server.run(sockets=[listener])


def main() -> None:
    """Arguments: database URL, folder, time. Lines: the file descriptor of a socket."""
    database_url, folder, now_s = sys.argv[1:]
    # Nobody waits for those that were killed.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            _serve(socket.socket(fileno=int(line)), database_url, Path(folder), int(now_s))
            os._exit(0)
        print(pid, flush=True)


if __name__ == "__main__":
    main()
