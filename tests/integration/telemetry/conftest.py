"""Settings for processes of the service beside a world."""

from pathlib import Path

import pytest

from scripts.dev.stack import RELAYER
from tests.world import World, wallet


@pytest.fixture
def around(world: World, tmp_path: Path) -> dict[str, str]:
    """Settings of processes beside a world."""
    key = tmp_path / "relayer.key"
    key.touch(mode=0o600)
    key.write_text(wallet(RELAYER).key.hex())
    return {
        "DATABASE_URL": world.engine.url.render_as_string(hide_password=False),
        "RENTROLL_RPC_URL": world.client.rpc_url,
        "RENTROLL_DEPLOYMENT_FILE": str(world.deployed.deployment_file),
        "RENTROLL_EVIDENCE_DIR": str(world.evidence.root),
        "RENTROLL_CLOCK": "chain",
        "RENTROLL_POLL_S": "0.1",
        "RENTROLL_RELAYER_KEY_FILE": str(key),
    }
