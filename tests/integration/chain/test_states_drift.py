"""States have the numbers that the contracts give them."""

import json
from collections.abc import Iterator
from enum import IntEnum
from pathlib import Path
from typing import Any

import pytest

from api.domain.capital.sale import SaleState
from api.domain.lifecycle import FacilityState

BUILD = Path(__file__).resolve().parents[3] / "build" / "contracts"


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Every node of a compiler's syntax tree."""
    if isinstance(tree, dict):
        yield tree
        tree = list(tree.values())
    if isinstance(tree, list):
        for part in tree:
            yield from _nodes(part)


def _members(interface: str, enum: str) -> list[str]:
    artifact = json.loads((BUILD / f"{interface}.json").read_text())
    (found,) = (
        node
        for node in _nodes(artifact["ast"])
        if node.get("nodeType") == "EnumDefinition" and node["name"] == enum
    )
    return [member["name"].upper() for member in found["members"]]


@pytest.mark.parametrize(
    ("interface", "ours"), [("IFacilityRegistry", FacilityState), ("IPrimarySale", SaleState)]
)
def test_states__compiled_enum__has_our_names_at_our_numbers(
    interface: str, ours: type[IntEnum]
) -> None:
    members = _members(interface, ours.__name__)

    # What the chain calls None is registered here and not on-chain.
    renamed = ["REGISTERED" if ours is FacilityState and m == "NONE" else m for m in members]
    assert renamed == [state.name for state in sorted(ours)]
    assert [int(state) for state in ours] == list(range(len(members)))
