"""Waterfall, documents, devices and attesters over HTTP on a real chain."""

from typing import Any

import pytest

from api.domain.hashing import sha256
from api.domain.pledges import pledge_tree, whole_cards
from api.domain.statements.evidence import hex32
from api.domain.units import Bytes32, FacilityId
from scripts.dev.stack import ATTESTER_ACCOUNTS, MINIMUM_BOND, SLASH_AMOUNT
from tests.factories import Ledger
from tests.integration.service import Service, problem
from tests.story import two_epochs
from tests.world import World, wallet

pytestmark = pytest.mark.chain


def _get(world: World, path: str) -> Any:
    answer = world.http.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.both_databases
def test_waterfall__two_settlements__adds_up(world: World) -> None:
    two_epochs(world)

    found = _get(world, f"/v1/tranches/{world.token_ids[1]}/waterfall")

    steps = found.pop("steps")
    assert found == {
        "attested_micros": 90_000_000,
        "collected_micros": 60_000_000,
        "settled_micros": 60_000_000,
        "fees_micros": 600_000,
        "advanced_micros": 0,
        "recovered_micros": 0,
        "recovered_by_vouchers_micros": 0,
        "owed_to_operator_micros": 0,
        "receivable_micros": 30_000_000,
        "prepaid_micros": 0,
    }
    # Two thirds of 30 cents for ten units; the junior takes the rest.
    assert [s["coupon_due_micros"] for s in steps] == [2_000_000, None]
    assert [s["paid_micros"] for s in steps] == [2_000_000, 57_400_000]
    assert [s["arrears_micros"] for s in steps] == [0, 0]
    paid = sum(s["paid_micros"] for s in steps)
    assert paid == found["settled_micros"] - found["fees_micros"]


def test_documents__two_epochs__hashes_are_of_the_bytes_and_on_chain(world: World) -> None:
    two_epochs(world)

    answer = _get(world, f"/v1/tranches/{world.token_ids[0]}/documents")

    found = answer["documents"]
    assert answer["total"] == len(found) == 1 + 2 * 9
    for document in found:
        data = world.http.get(f"/v1/evidence/{document['path']}").content
        assert document["sha256"] == hex32(sha256(data))
        assert document["bytes"] == len(data)
    named = {d["name"]: d["on_chain"] for d in found}
    assert named["facility.json"] == "termsHash"
    assert named["manifest.json"] == "evidenceHash"
    assert named["lines.csv"] is None
    assert [d["epoch"] for d in found] == [None] + [1] * 9 + [0] * 9
    page = _get(world, f"/v1/tranches/{world.token_ids[0]}/documents?offset=1&limit=2")
    assert page == {"total": answer["total"], "documents": found[1:3]}


@pytest.mark.both_databases
def test_attesters__two_of_three_sign__have_their_record(world: World) -> None:
    two_epochs(world)

    found = _get(world, "/v1/attesters")

    accounts = [wallet(i).address for i in ATTESTER_ACCOUNTS]
    (panel,) = found["panels"]
    assert (panel["number"], panel["threshold"]) == (1, 2)
    assert set(panel["attesters"]) == set(accounts)
    assert found["minimum_bond_micros"] == MINIMUM_BOND
    assert found["slash_amount_micros"] == SLASH_AMOUNT
    signed = {a["address"]: a["statements_signed"] for a in found["attesters"]}
    first, second, third = accounts
    assert signed == {first: 2, second: 2, third: 0}
    for attester in found["attesters"]:
        assert attester["active"]
        assert attester["active_until_s"] is None
        assert (attester["panels"], attester["url"]) == ([1], "")
        assert (attester["bond_micros"], attester["slashed_micros"]) == (MINIMUM_BOND, 0)
        assert attester["statements_voided"] == 0
        assert (attester["last_signed_at_s"] is None) == (attester["address"] == third)


def test_devices__of_a_facility__rebuild_the_pledge_root(service: Service, ledger: Ledger) -> None:
    found = service.client.get(f"/v1/facilities/{ledger.facility_id}/devices").json()

    hashes = [Bytes32(bytes.fromhex(d["device"][2:])) for d in found["devices"]]
    assert [d["index"] for d in found["devices"]] == list(range(4))
    tree = pledge_tree(FacilityId(ledger.facility_id), whole_cards(hashes))
    assert hex32(tree.root) == found["pledge_root"]
    problem(service.client.get("/v1/facilities/99/devices"), 404, "not_found")


def test_attesters__without_a_deployment__are_none(service: Service) -> None:
    assert service.client.get("/v1/attesters").json() == {
        "minimum_bond_micros": None,
        "slash_amount_micros": None,
        "panels": [],
        "attesters": [],
    }
    token_id = service.ledger.facility_id << 8
    found = service.client.get(f"/v1/tranches/{token_id}/waterfall").json()
    assert found["attested_micros"] is None
    assert found["steps"][0]["paid_micros"] is None
    assert service.client.get(f"/v1/tranches/{token_id}/documents").json() == {
        "total": 1,
        "documents": [],
    }
