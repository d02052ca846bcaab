"""A stranger, as docs/ATTESTER.md takes one: from an empty folder and a wheel to a signature.

Of the service it has the URL and an API key, of the chain a node and the registry's address.
"""

import json
import re
import subprocess
import time
from pathlib import Path

import pytest

from tests.contract_attesters import seat
from tests.factories import DAY_S, HOUR_S
from tests.integration.attester.site import served
from tests.integration.packages.wheel import ROOT, done
from tests.world import World

pytestmark = [pytest.mark.chain, pytest.mark.slow]


def test_stranger__wheel_settings_key_and_seat__signs_the_next_epoch(
    rentroll: Path, world: World, tmp_path: Path
) -> None:
    started = time.monotonic()
    site = tmp_path / "stranger"
    site.mkdir()
    python = str(rentroll.parent / "python")
    assert str(ROOT) not in done(python, "-c", "import api; print(api.__file__)", cwd=site)

    with served(world) as url:
        command = (str(rentroll), "attester")
        named = ("--url", url, "--rpc", world.chain.rpc_url)
        registry = world.deployment.statement_registry
        said = done(*command, "init", ".", *named, "--registry", registry, cwd=site)
        [account] = re.findall(r"address: (0x\w{40})", said)
        # The service's admin gives out the key; governance gives the seat.
        (site / "api.key").touch(mode=0o600)
        (site / "api.key").write_text(world.attesters.key_of(account))
        world.at(DAY_S)
        world.post(0)
        seat(world, account)
        # A chain of tests has a time of its own, and what it says is final at once.
        settings = site / "attester.toml"
        text = settings.read_text().replace("# simulated_time = false", "simulated_time = true")
        text = text.replace("# confirmations = 12", "confirmations = 0")
        settings.write_text(text)
        world.ledger.ingest(world.ledger.usage(0, DAY_S, DAY_S + HOUR_S))
        world.at_cut_off(1)
        world.round()

        checked = done(*command, "check", cwd=site)
        before = time.monotonic()
        signed = subprocess.run(
            [*command, "run", "--once"], cwd=site, capture_output=True, text=True, check=False
        )
        took_s = time.monotonic() - before

    lines = [json.loads(line) for line in signed.stderr.splitlines()]
    assert f"ok    counts: signatures of {account} count" in checked
    assert [(li["step"], li["epoch"]) for li in lines if "epoch" in li] == [
        ("not signed", 0),
        ("signed", 1),
    ], signed.stderr
    assert list(world.signatures(1)) == [account]
    assert (site / "memory.jsonl").exists()
    assert not (site / "var").exists()
    print(
        f"\nfrom an empty folder to the first signature: {time.monotonic() - started:.1f} s,"
        f" of which the round that signs {took_s:.1f} s"
    )


def test_package__of_the_stranger__reads_no_database_and_no_settings_of_the_service(
    rentroll: Path, tmp_path: Path
) -> None:
    """What an attester imports is what its room may import, also in the wheel."""
    script = (
        "import sys, api.attester.running, api.attester.checks;"
        "print([m for m in sys.modules if m.split('.')[0] in ('sqlalchemy', 'fastapi')"
        " or m.startswith(('api.db', 'api.settings', 'api.ledger'))])"
    )

    assert done(str(rentroll.parent / "python"), "-c", script, cwd=tmp_path).strip() == "[]"
