"""Stacks of one checkout that start at the same time, such as a demo beside tests."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from api.chain.deployment import load_deployment
from scripts.dev.devchain import DevChain, deploy_contracts, dev_chain

pytestmark = [pytest.mark.slow, pytest.mark.chain]


def test_deploy__two_at_once__each_on_its_own_chain(tmp_path: Path) -> None:
    files = [tmp_path / f"deployment-{i}.json" for i in range(2)]
    with ExitStack() as stack:
        chains: list[DevChain] = [stack.enter_context(dev_chain()) for _ in files]

        with ThreadPoolExecutor() as pool:
            jobs = [
                pool.submit(deploy_contracts, chain, file, {})
                for chain, file in zip(chains, files, strict=True)
            ]
        for job in jobs:
            job.result()

        for chain, file in zip(chains, files, strict=True):
            token = load_deployment(file).tranche_token
            assert len(chain.rpc("eth_getCode", token, "latest")) > 1_000
