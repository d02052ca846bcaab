"""The contracts deploy and pass doctor's check on the newest and the second newest hardfork."""

from pathlib import Path

import pytest

from api.chain.client import ChainClient
from api.chain.deployment import code_problems, load_deployment
from scripts.dev.devchain import deploy_contracts, dev_chain

pytestmark = [pytest.mark.chain, pytest.mark.slow]


# Prague is what every other test runs on.
def test_deploy__newest_hardfork__has_the_code_of_the_deployment_file(tmp_path: Path) -> None:
    file = tmp_path / "deployment.json"

    with dev_chain(hardfork="osaka") as chain:
        deploy_contracts(chain, file, {})
        deployment = load_deployment(file)
        assert deployment is not None
        with ChainClient(chain.rpc_url) as client:
            assert code_problems(client, deployment) == []
