"""Attesters reject published evidence from the command line: signed one by one, sent by anybody."""

import json
from pathlib import Path

import pytest

from api.cli.rejections import rejection_call, sign_rejection
from api.domain.units import Epoch
from api.errors import InvalidInput
from scripts.dev.stack import ATTESTER_ACCOUNTS, RENTER
from tests.endings import publish
from tests.factories import DAY_S
from tests.world import World, send, wallet

pytestmark = pytest.mark.chain


def _key(folder: Path, index: int) -> Path:
    path = folder / f"{index}.key"
    path.write_text(wallet(index).key.hex())
    path.chmod(0o600)
    return path


def test_rejection__signed_by_enough__takes_the_publication_back(
    world: World, tmp_path: Path
) -> None:
    world.at(DAY_S)
    publish(world, 0)
    settings, where = world.settings(), (world.facility_id, Epoch(0))

    lines = [
        sign_rejection(settings, _key(tmp_path, index), *where) for index in ATTESTER_ACCOUNTS[:2]
    ]
    call = json.loads(rejection_call(settings, lines[::-1]))
    send(world.client, wallet(RENTER).address, call["to"], call["data"])

    openness = world.now(world.contracts.statement_registry.openness_of(world.facility_id))
    assert openness.first_open == 0
    assert openness.rejected_at_s == world.client.head().time_s
    with pytest.raises(InvalidInput, match="not published"):
        sign_rejection(settings, _key(tmp_path, ATTESTER_ACCOUNTS[0]), *where)


@pytest.mark.parametrize("lines", [[], ["no JSON"], ["{}"], ["two epochs"]])
def test_rejection_call__other_lines__are_refused(world: World, lines: list[str]) -> None:
    line = {"facility_id": 1, "epoch": 0, "evidence_hash": "0x" + "00" * 32}
    line |= {"attester": wallet(4).address, "signature": "0x00"}
    if lines == ["two epochs"]:
        lines = [json.dumps(line), json.dumps(line | {"epoch": 1})]

    with pytest.raises(InvalidInput):
        rejection_call(world.settings(), lines)
