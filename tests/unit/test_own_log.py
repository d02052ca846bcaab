"""Terms name a log: of the chain and registry that know the facility, and of no other."""

from dataclasses import replace

import pytest

from api.domain.facility import require_own_log
from api.errors import EvidenceInvalid
from tests.unit.values import TERMS

REGISTRY = "0x" + "aB" * 20
OWN = replace(TERMS, chain_id=31_337, registry=REGISTRY)


@pytest.mark.parametrize("registry", [REGISTRY, REGISTRY.lower()])
def test_own_log__address_in_any_case__is_the_same(registry: str) -> None:
    require_own_log(OWN, chain_id=31_337, registry=registry)
    require_own_log(replace(OWN, registry=registry), chain_id=31_337, registry=REGISTRY)


@pytest.mark.parametrize(
    ("chain_id", "registry"), [(1, REGISTRY), (31_337, "0x" + "ac" * 20), (0, "0x" + "00" * 20)]
)
def test_own_log__of_another_chain_or_registry__is_refused(chain_id: int, registry: str) -> None:
    with pytest.raises(EvidenceInvalid, match=r"its log is 31337:0x\w+:7, not"):
        require_own_log(OWN, chain_id=chain_id, registry=registry)
