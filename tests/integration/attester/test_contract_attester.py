"""An attester that is a contract signs by ERC-1271, from the service's route to the chain."""

from pathlib import Path

import pytest

from api.chain import calldata
from api.domain.statements.evidence import hex32
from api.domain.statements.statement import Statement
from scripts.dev.stack import ATTESTER_ACCOUNTS, RENTER
from tests.contract_attesters import (
    ACCEPTING,
    REFUSING,
    REVERTING,
    WORDS,
    close_beside_contract,
    deploy,
    set_mood,
)
from tests.integration.attester.site import logged, make_site, served
from tests.world import World, signer_of, wallet

pytestmark = pytest.mark.chain


@pytest.fixture
def closed(world: World) -> tuple[World, str]:
    """One closed epoch; a contract and two keys on the panel, two of which it takes."""
    return world, close_beside_contract(world)


def _submit(world: World, account: str, signature: bytes) -> int:
    path = f"/v1/attester/facilities/{world.facility_id}/epochs/0/attestations"
    body = {"attester": account, "signature": hex32(signature)}
    headers = world.as_attester(account)
    return int(world.http.post(path, json=body, headers=headers).status_code)


def test_contract__its_signature_and_one_of_a_key__are_posted_and_verified(
    closed: tuple[World, str],
) -> None:
    world, contract = closed

    assert _submit(world, contract, WORDS) == 201
    assert _submit(world, contract, WORDS) == 200
    assert [v.signed for v in world.attest(0)] == [True]
    world.round()

    assert world.posted == 1
    assert [f.sentence() for f in world.verify().findings] == []


@pytest.mark.parametrize("mood", [REFUSING, REVERTING])
def test_contract__that_does_not_accept__is_refused_and_stores_nothing(
    closed: tuple[World, str], mood: int
) -> None:
    world, contract = closed
    set_mood(world, contract, mood)

    assert _submit(world, contract, WORDS) == 422
    assert world.signatures(0) == {}


def test_contract__changes_its_mind_before_the_posting__is_left_out_and_counts_again(
    closed: tuple[World, str],
) -> None:
    """One that refuses would make the whole posting fail: two keys post without it."""
    world, contract = closed
    assert _submit(world, contract, WORDS) == 201
    assert [v.signed for v in world.attest(0)] == [True]
    set_mood(world, contract, REFUSING)

    world.round()
    refused = world.posted
    assert [v.signed for v in world.attest(1)] == [True]
    world.round()

    assert (refused, world.posted) == (0, 1)


def test_contract__no_account_of_the_panel__is_refused(closed: tuple[World, str]) -> None:
    world, _ = closed
    other = deploy(world, "MockContractAttester")
    set_mood(world, other, ACCEPTING)

    assert _submit(world, other, WORDS) == 422


def test_contract__that_accepts_beside_enough_keys__has_no_say_in_the_posting(
    closed: tuple[World, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It could accept for the gas of a question, and burn all that a posting has."""
    world, contract = closed
    assert _submit(world, contract, WORDS) == 201
    assert [v.signed for v in world.attest(0, 1)] == [True, True]
    posted = []
    encode = calldata.post

    def noted(statement: Statement, signatures: dict[str, bytes]) -> str:
        posted.append(set(signatures))
        return encode(statement, signatures)

    monkeypatch.setattr(calldata, "post", noted)

    world.round()

    keys = {signer_of(account).address for account in ATTESTER_ACCOUNTS[:2]}
    assert (posted, world.posted) == ([keys], 1)
    assert set(world.signatures(0)) == {*keys, contract}


def test_run__key_signs_for_a_contract__only_what_the_contract_takes_leaves(
    closed: tuple[World, str], tmp_path: Path
) -> None:
    """The settings name the contract; the key is any that it takes."""
    world, contract = closed
    with served(world) as url:
        site = make_site(world, tmp_path, url, RENTER, account=contract)
        site.change("[attester]", f'[attester]\ncontract = "{contract}"')
        set_mood(world, contract, REFUSING)
        refused, told = site.command("run", "--once"), site.findings()["signature"]
        kept = world.signatures(0)
        set_mood(world, contract, ACCEPTING)
        signed, checked = site.command("run", "--once"), site.findings()

    [line] = [line for line in logged(refused) if line["step"] == "not signed"]
    assert (refused.exit_code, kept) == (1, {})
    assert line["reason"].startswith(f"contract {contract} does not take the signature")
    assert (told[0], "does not take" in told[1]) == ("fail", True)
    assert signed.exit_code == 0, signed.output
    assert list(world.signatures(0)) == [contract]
    assert checked["key"][1] == f"{wallet(RENTER).address} signs for the contract {contract}"
    assert checked["counts"] == ("ok", f"signatures of {contract} count")
