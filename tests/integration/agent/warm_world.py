"""A process that has imported the application and forks one API of a world for each line.

As `tests.integration.warm_api`, with a chain: the argument is the settings, as JSON.
"""

import json
import os
import signal
import socket
import sys

import uvicorn

from api.main import create_app
from api.settings import Settings


def _serve(listener: socket.socket, settings: Settings) -> None:
    server = uvicorn.Server(uvicorn.Config(create_app(settings), log_level="critical"))
    server.run(sockets=[listener])


def main() -> None:
    """Lines: the file descriptor of a socket."""
    settings = Settings(_env_file=None, **json.loads(sys.argv[1]))
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            _serve(socket.socket(fileno=int(line)), settings)
            os._exit(0)
        print(pid, flush=True)


if __name__ == "__main__":
    main()
