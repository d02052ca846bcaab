"""Contracts that follow from a trusted registry: the same that were deployed together."""

import pytest

from api.chain.calldata import checksum
from api.chain.client import ChainClient
from api.chain.linked import linked_deployment
from api.errors import ChainUnavailable, Misconfigured
from tests.world import Deployed


@pytest.mark.chain
def test_linked_deployment__of_the_registry__is_what_was_deployed(deployed: Deployed) -> None:
    known = deployed.deployment

    with ChainClient(deployed.chain.rpc_url) as client:
        found = linked_deployment(client, known.statement_registry.lower())

    assert found.chain_id == known.chain_id
    assert {**found.addresses, "InvestorRegistry": ""} == {
        **known.addresses,
        "InvestorRegistry": "",
    }
    assert found.addresses["InvestorRegistry"] in (
        known.investor_registry,
        "0x0000000000000000000000000000000000000000",
    )
    assert found.code_hashes["StatementRegistry"] == known.code_hashes["StatementRegistry"]
    assert found.start_block <= known.start_block + 64


@pytest.mark.chain
@pytest.mark.parametrize("name", ["FacilityRegistry", "TrancheToken", "SettlementToken", None])
def test_linked_deployment__of_another_contract_or_none__is_refused(
    deployed: Deployed, name: str | None
) -> None:
    address = deployed.deployment.addresses[name] if name else checksum("0x" + "ab" * 20)

    with (
        ChainClient(deployed.chain.rpc_url) as client,
        pytest.raises(Misconfigured, match="StatementRegistry"),
    ):
        linked_deployment(client, address)


def test_linked_deployment__nobody_answers__is_said() -> None:
    with ChainClient("http://127.0.0.1:9") as client, pytest.raises(ChainUnavailable):
        linked_deployment(client, checksum("0x" + "ab" * 20))
