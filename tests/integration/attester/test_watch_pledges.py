"""Double pledges: found by the watcher in posted statements, and challenged by itself."""

from typing import Any

import pytest

from api.attester.challenge import Challenge, Challenger
from api.attester.transact import Sent, send_call
from api.attester.watching import Watcher
from api.chain import calldata
from api.db import statements as store
from api.db.session import reading
from api.domain.devices import DeviceName
from api.domain.statements.faults import FaultKind
from api.domain.statements.statement import Statement, statement_digest
from api.domain.units import Epoch, FacilityId, tranche_id
from api.ledger import facilities as register
from scripts.dev.stack import ATTESTER_ACCOUNTS, RENTER
from tests.factories import device
from tests.world import HOLDERS, HOLDINGS, World, send, signer_of, wallet

pytestmark = pytest.mark.chain
SLICE = DeviceName(f"MIG-{device(101)[4:]}", device(2), "1g.10gb")
# Whole cards of the first facility, or a slice of one of them beside it.
CLASHES: dict[str, dict[str, Any]] = {
    "cards": {"devices": range(2, 6)},
    "slice": {
        "devices": range(0),
        "device_uuids": [SLICE],
        "gpu_class": "NVIDIA H100 80GB HBM3/1g.10gb",
    },
}


@pytest.fixture(autouse=True)
def other_books(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service with other books: it registers what this one would see is pledged twice."""
    monkeypatch.setattr(register, "_require_unpledged", lambda *_: None)


def _running(world: World, *, devices: range, **more: Any) -> FacilityId:
    """A facility that dishonest attesters approved, funded."""
    token = world.deployment.settlement_token
    facility_id = FacilityId(
        world.ledger.add_facility(devices, name="hall-2", settlement_token=token, **more)
    )
    terms = world.offer(facility_id)
    bond = calldata.call("BondVault", "setTerms", facility_id, (0, 1_000_000))
    send(world.client, world.operator, world.deployment.bond_vault, bond)
    for index in range(len(terms.tranches)):
        mint = calldata.call(
            "TrancheToken", "mint", HOLDERS[0], tranche_id(facility_id, index), sum(HOLDINGS[index])
        )
        send(world.client, world.operator, world.deployment.tranche_token, mint)
    world.approve_pledge(facility_id)
    fund = calldata.call("FacilityRegistry", "fund", facility_id)
    send(world.client, world.operator, world.deployment.facility_registry, fund)
    return facility_id


def _post(world: World, facility_id: FacilityId) -> Statement:
    with reading(world.engine) as connection:
        row = store.known_statement_row(connection, facility_id, Epoch(0))
    statement = store.to_statement(row)
    registry = world.deployment.statement_registry
    digest = statement_digest(statement, chain_id=world.deployment.chain_id, registry=registry)
    signers = [signer_of(index) for index in ATTESTER_ACCOUNTS[:2]]
    signatures = {signer.address: signer.sign_digest(digest) for signer in signers}
    send(world.client, wallet(RENTER).address, registry, calldata.post(statement, signatures))
    return statement


@pytest.mark.parametrize("clash", CLASHES)
def test_watch__card_of_an_earlier_pledge__is_challenged_by_itself(
    world: World, clash: str
) -> None:
    """ATTACKS 23: fault vii. The earlier pledge is at no fault; a slice is its card's."""
    other = _running(world, **CLASHES[clash])
    world.at_cut_off(0)
    world.round()
    for facility_id in (FacilityId(world.facility_id), other):
        _post(world, facility_id)
    told: list[tuple[str, dict[str, Any]]] = []

    def send_it(challenge: Challenge) -> Sent:
        return send_call(world.client, signer_of(RENTER), to=challenge.to, data=challenge.data)

    watcher = Watcher(
        Challenger(world.contracts, world.evidence),
        send=send_it,
        log=lambda step, **fields: told.append((step, fields)),
    )

    look, then = watcher.one(), watcher.one()

    registry = world.contracts.statement_registry
    posted = [world.now(registry.epochs_posted(each)) for each in (world.facility_id, other)]
    assert (look.faults, look.unjudged, then.faults) == (1, 0, 0)
    assert posted == [1, 0]
    assert {fields["facility"] for step, fields in told if step == "challenged"} == {other}
    [reason] = [fields["reason"] for step, fields in told if step == "fault"]
    assert f"is in the pledge of facility {world.facility_id}, which was approved before" in reason


def test_look__pledge_of_the_earlier_one__is_no_fault_of_its_own(world: World) -> None:
    _running(world, **CLASHES["cards"])
    world.at_cut_off(0)
    world.round()
    challenger = Challenger(world.contracts, world.evidence)

    found = challenger.look(_post(world, FacilityId(world.facility_id)))

    assert found is None


def test_look__double_pledge__names_card_and_facility(world: World) -> None:
    other = _running(world, **CLASHES["cards"])
    world.at_cut_off(0)
    world.round()

    found = Challenger(world.contracts, world.evidence).look(_post(world, other))

    assert found is not None
    assert (found.kind, found.other_id) == (FaultKind.DEVICE_PLEDGED_TWICE, world.facility_id)
