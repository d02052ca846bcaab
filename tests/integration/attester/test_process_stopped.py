"""`rentroll attester run` ends soon after a signal, whatever it waits for."""

import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.dev.devchain import ROOT
from scripts.dev.stack import ATTESTER_ACCOUNTS
from tests.integration.attester.site import make_site
from tests.worker_process import PATIENCE_S, STOPS_WITHIN_S
from tests.world import World

pytestmark = [pytest.mark.chain, pytest.mark.slow]


@pytest.mark.parametrize(("once", "code"), [([], 0), (["--once"], 3)], ids=["for-good", "once"])
def test_run__told_to_stop_while_the_service_says_nothing__ends_in_time(
    world: World, tmp_path: Path, once: list[str], code: int
) -> None:
    """It waits a minute for an answer, and may have much to ask. A round that was cut off is no
    round in which all was signed."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        site = make_site(world, tmp_path, url, ATTESTER_ACCOUNTS[0])
        command = [sys.executable, "-m", "api.cli.commands", "attester", "run"]
        process = subprocess.Popen([*command, *once, "--settings", str(site.file)], cwd=ROOT)
        try:
            silent.settimeout(PATIENCE_S)
            connection, _ = silent.accept()
            with connection:
                process.send_signal(signal.SIGTERM)
                assert process.wait(STOPS_WITHIN_S) == code
        finally:
            process.kill()
            process.wait()
