"""`rentroll attester` and `rentroll doctor`: an attester whose signatures do not count is told."""

import json
from pathlib import Path

import pytest

from api.chain import calldata
from api.cli.doctor import Check, diagnose
from api.cli.output import log_warnings
from api.cli.wiring import open_attester
from api.errors import Misconfigured
from api.settings import Settings
from scripts.dev.stack import ATTESTER_ACCOUNTS, MINIMUM_BOND, RENTER
from tests.world import World, send, wallet

pytestmark = pytest.mark.chain


def _settings(world: World, folder: Path, index: int) -> Settings:
    key = folder / f"{index}.key"
    key.write_text(wallet(index).key.hex())
    return world.settings(
        attester_key_file=key,
        attester_api_key="key",
        attester_memory_file=folder / f"{index}.jsonl",
    )


def _checks(settings: Settings) -> list[Check]:
    return [check for check in diagnose(settings) if check.name == "attester"]


def test_doctor__attester_of_the_settings__says_what_keeps_it_from_counting(
    world: World, tmp_path: Path
) -> None:
    fine = _settings(world, tmp_path, ATTESTER_ACCOUNTS[0])
    stranger = _settings(world, tmp_path, RENTER)

    good, bad, none = _checks(fine), _checks(stranger), _checks(world.settings())

    assert [(c.level, c.message) for c in good] == [
        ("ok", f"signatures of {wallet(ATTESTER_ACCOUNTS[0]).address} count")
    ]
    account = wallet(RENTER).address
    assert [(c.level, c.message) for c in bad] == [
        ("warn", f"the bond of {account} is 0 micros, below the minimum of {MINIMUM_BOND}"),
        ("warn", f"{account} sits on no panel"),
    ]
    assert "depositBond" in str(bad[0].advice)
    assert none == []


def test_attester__bonded_but_no_member__is_told(world: World, tmp_path: Path) -> None:
    account, registry = wallet(RENTER).address, world.deployment.attester_registry
    token = world.deployment.settlement_token
    for to, data in (
        (token, calldata.call("SettlementToken", "mint", account, MINIMUM_BOND)),
        (token, calldata.call("SettlementToken", "approve", registry, MINIMUM_BOND)),
        (registry, calldata.call("AttesterRegistry", "depositBond", account, MINIMUM_BOND)),
    ):
        send(world.client, account, to, data)

    with open_attester(_settings(world, tmp_path, RENTER)) as running:
        warnings = running.warnings()

    assert warnings == [
        f"{account} is no active member of the attester set",
        f"{account} sits on no panel",
    ]


def test_attester__two_processes_with_one_memory__the_second_does_not_start(
    world: World, tmp_path: Path
) -> None:
    settings = _settings(world, tmp_path, ATTESTER_ACCOUNTS[0])

    with (
        open_attester(settings),
        pytest.raises(Misconfigured, match="another process"),
        open_attester(settings),
    ):
        pass


def test_log_warnings__the_same_again__is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    before = log_warnings("attester", ["a", "b"], [])
    before = log_warnings("attester", ["b"], before)
    log_warnings("attester", ["a", "b"], before)

    said = [json.loads(line)["warning"] for line in capsys.readouterr().err.splitlines()]
    assert said == ["a", "b", "a"]
