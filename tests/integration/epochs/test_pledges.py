"""A device pledged to two facilities: attesters refuse the later one (ATTACKS 23)."""

import pytest

from api.chain import calldata
from api.db.facilities import facility_row
from api.db.session import reading
from api.domain.facility import FacilityTerms
from api.domain.statements.evidence_reader import decode_facility
from api.epochs.attest import Attester
from api.epochs.chain_facts import ChainFacts
from api.epochs.close import close_due
from api.epochs.pledges import PledgeWatch
from api.ledger import facilities as register
from scripts.dev.stack import ATTESTER_ACCOUNTS
from tests.factories import DAY_S, GRACE_S, START_S
from tests.world import World, send, signer_of

pytestmark = pytest.mark.chain


@pytest.fixture
def second(world: World, monkeypatch: pytest.MonkeyPatch) -> FacilityTerms:
    """A facility with two devices of the first, as a service with other books would register it."""
    monkeypatch.setattr(register, "_require_unpledged", lambda *_: None)
    facility_id = world.ledger.add_facility(
        range(2, 6), name="hall-2", settlement_token=world.deployment.settlement_token
    )
    with reading(world.engine) as connection:
        terms = decode_facility(facility_row(connection, facility_id).terms_json)
    send(world.client, world.operator, world.deployment.facility_registry, calldata.offer(terms))
    return terms


def _attester(world: World) -> Attester:
    api, evidence = world._attester_clients
    return Attester(
        api,
        evidence,
        signer_of(ATTESTER_ACCOUNTS[0]),
        ChainFacts(world.contracts, evidence),
    )


def test_attest__devices_that_an_earlier_facility_pledged__are_refused(
    world: World, second: FacilityTerms
) -> None:
    world.at(DAY_S + GRACE_S)
    close_due(world.engine, world.evidence, START_S + DAY_S + GRACE_S)

    verdicts = {v.facility_id: v for v in _attester(world).run_once()}

    assert verdicts[world.facility_id].signed
    refused = verdicts[second.facility_id]
    assert not refused.signed
    assert refused.reason == f"facility {world.facility_id} pledged 2 of the devices before"


def test_pledges__other_window_cancelled_or_unpublished__do_not_count(
    world: World, second: FacilityTerms, monkeypatch: pytest.MonkeyPatch
) -> None:
    close_due(world.engine, world.evidence, START_S + DAY_S + GRACE_S)

    def found() -> bool:
        watch = PledgeWatch(world.contracts, world.evidence)
        return watch.earlier(second) is not None

    assert found()
    path = world.evidence.root / f"facility-{world.facility_id}" / "facility.json"
    document = path.read_bytes()
    path.write_bytes(document.replace(b"SE-", b"XX-"))
    assert not found()
    path.write_bytes(document)
    monkeypatch.setattr(PledgeWatch, "_cancelled", lambda *_: True)
    assert not found()
    monkeypatch.undo()
    watch = PledgeWatch(world.contracts, world.evidence)
    with reading(world.engine) as connection:
        first = decode_facility(facility_row(connection, world.facility_id).terms_json)
    # The first facility was there before: it is not at fault. And an offer made later is seen.
    assert watch.earlier(first) is None
    assert watch.earlier(second) is not None


def test_register__facility__publishes_its_terms_at_once(world: World) -> None:
    body = {
        "name": "f", "gpu_class": "X", "site": "Y", "window_start": "2026-02-01T00:00:00Z",
        "window_end": "2026-02-02T00:00:00Z", "epoch_length_s": DAY_S,
        "tranches": [{"unit_cap": 1}], "devices": ["GPU-" + "0" * 8 + "-0000" * 3 + "-" + "0" * 12],
    }  # fmt: skip
    headers = {"Authorization": f"Bearer {world.ledger.api_key}"}

    made = world.http.post("/v1/facilities", json=body, headers=headers).json()

    path = f"/v1/evidence/facility-{made['facility_id']}/facility.json"
    assert decode_facility(world.http.get(path).content).site == "Y"
    page = world.http.get("/v1/facilities?offset=1&limit=1").json()
    assert [row["facility_id"] for row in page] == [made["facility_id"]]
    flows = f"/v1/facilities/{made['facility_id']}/cash-flows"
    assert world.http.get(flows).json() == []
    assert world.http.get(f"{flows}?limit=10001").status_code == 422
