"""Attesters that are contracts, judged as of their block; and an offer without its terms."""

import pytest

from api.chain import calldata
from api.domain.statements.evidence import (
    ATTESTATIONS_FILE,
    STATEMENT_FILE,
    encode_attestations,
    encode_statement,
    epoch_folder,
)
from api.domain.statements.statement import Statement, statement_digest
from scripts.dev.stack import ATTESTER_ACCOUNTS, RENTER
from tests.contract_attesters import (
    REFUSING,
    REVERTING,
    WORDS,
    close_beside_contract,
    deploy,
    set_mood,
)
from tests.factories import DAY_S, HOUR_S
from tests.world import World, send, signer_of, wallet

pytestmark = pytest.mark.chain


def _post(world: World, statement: Statement, contract: str) -> None:
    deployment = world.deployment
    digest = statement_digest(
        statement, chain_id=deployment.chain_id, registry=deployment.statement_registry
    )
    signer = signer_of(ATTESTER_ACCOUNTS[0])
    signatures = {signer.address: signer.sign_digest(digest), contract: WORDS}
    post = calldata.post(statement, signatures)
    send(world.client, wallet(RENTER).address, deployment.statement_registry, post)
    _publish(world, statement, signatures)


def _publish(world: World, statement: Statement, signatures: dict[str, bytes]) -> None:
    folder = epoch_folder(statement.facility_id, statement.epoch)
    lower = {address.lower(): signature for address, signature in signatures.items()}
    world.evidence.replace(f"{folder}/{ATTESTATIONS_FILE}", encode_attestations(lower))
    world.evidence.replace(f"{folder}/{STATEMENT_FILE}", encode_statement(statement))


@pytest.fixture
def attested(world: World) -> tuple[World, str]:
    """One epoch, signed by a key and by a contract."""
    contract = close_beside_contract(world)
    _post(world, world.statement(0), contract)
    return world, contract


def test_verify__contract_attester__is_no_false_alarm(attested: tuple[World, str]) -> None:
    world, _ = attested

    assert [f.sentence() for f in world.verify().findings] == []
    assert world.verify().statements == 1


@pytest.mark.parametrize("mood", [REFUSING, REVERTING])
def test_verify__contract_attester_that_changes_its_mind__signed_all_the_same(
    attested: tuple[World, str], mood: int
) -> None:
    world, contract = attested
    block = world.client.head().number
    world.chain.rpc("anvil_mine", "0x3")
    set_mood(world, contract, mood)
    world.chain.rpc("anvil_mine", "0x3")

    assert [f.sentence() for f in world.verify().findings] == []
    assert [f.sentence() for f in world.verify(at=block).findings] == []


def test_verify__contract_that_never_accepted__is_found(world: World) -> None:
    """Its signature is published beside two that count."""
    contract = deploy(world, "MockContractAttester")
    world.at(DAY_S)
    world.ledger.ingest(world.ledger.usage(0, 0, HOUR_S))
    world.post(0)
    signatures = world.signatures(0) | {contract: WORDS}
    _publish(world, world.statement(0), signatures)

    found = {(f.code, f.message) for f in world.verify().findings}

    of = contract.lower()
    assert ("signature_wrong", f"the signature of {of} is not over this statement") in found
    assert ("attester_unknown", f"{of} was never in the attester set") in found


def test_verify__offer_whose_terms_are_not_published__is_a_warning(world: World) -> None:
    world.round()
    (world.evidence.root / f"facility-{world.facility_id}" / "facility.json").unlink()

    report = world.verify()

    assert report.findings == ()
    assert "not_published" in {w.code for w in report.warnings}
