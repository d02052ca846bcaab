"""An API whose loop stands still: its other port, and systemd, notice."""

import sys
import threading
from pathlib import Path

import httpx

from tests.integration.telemetry.processes import LOCAL, free_port, process, status_of, until

# A request that holds the loop until a file is there, as a lock or a bug might for ever.
PROGRAM = """
import pathlib, time
from api.cli import server
from api.settings import Settings

async def app(scope, receive, send):
    while scope["type"] == "http" and not pathlib.Path("enough").exists():
        time.sleep(0.05)
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"done"})
    else:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})

server._STUCK_S = 2.0
server.run_server(app, tuple, Settings(), host=None, port=None)
"""


def test_api__loop_that_stands_still__is_not_alive_until_it_turns_again(tmp_path: Path) -> None:
    port, monitor = free_port(), free_port()
    settings = {"RENTROLL_PORT": str(port), "RENTROLL_MONITOR_PORT": str(monitor)}
    livez = f"http://{LOCAL}:{monitor}/livez"

    with process(tmp_path / "log", program=(sys.executable, "-c", PROGRAM), **settings):
        until(lambda: status_of(f"http://{LOCAL}:{monitor}/readyz") == 200)
        holding = threading.Thread(
            target=lambda: httpx.get(f"http://{LOCAL}:{port}/", timeout=60), daemon=True
        )
        holding.start()
        until(lambda: status_of(livez) == 503)
        said = httpx.get(livez).json()["problems"]
        (tmp_path / "enough").touch()
        until(lambda: status_of(livez) == 200)
        holding.join(60)

    assert len(said) == 1
    assert said[0].startswith("the loop that answers has stood still for ")
