"""The operator's console on real databases and a real chain."""

from typing import Any

import pytest

from api.access.accounts import add_operator
from api.chain import calldata
from api.chain.abi import Function
from api.db.facilities import facility_row
from api.db.session import reading, transaction
from api.domain.hashing import device_hash
from api.domain.statements.evidence import hex32
from api.domain.statements.evidence_reader import decode_facility
from api.errors import Conflict
from tests.endings import all_epochs
from tests.factories import DAY_S, GRACE_S, HOUR_S, START_S, device
from tests.integration.service import Service, problem
from tests.story import two_epochs
from tests.wallets import sign_in
from tests.world import World, send, wallet

# The operator's own wallet calls it; the service never does.
_CANCEL = Function("cancel", ("uint64",))


def _get(service: Service, path: str) -> Any:
    answer = service.client.get(f"/v1/console{path}", headers=service.auth())
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_console__without_chain__shows_what_the_ledger_knows(service: Service) -> None:
    ledger = service.ledger
    service.post([{"id": "x"}, ledger.usage(0, 0, HOUR_S, lease="nobody")])

    shown = _get(service, "")

    assert shown["operator"]["name"] == "op"
    assert [t["kind"] for t in shown["tasks"]] == ["events_rejected"]
    (facility,) = shown["facilities"]
    assert (facility["state"], facility["bond_micros"]) == ("registered", None)
    path = f"/facilities/{ledger.facility_id}"
    rejections = _get(service, f"{path}/rejections?limit=1")
    assert rejections["total"] == 2
    assert rejections["rejections"][0]["code"] == "lease_unknown"
    assert rejections["rejections"][0]["device"] == device(0)
    assert _get(service, f"{path}/epochs")["total"] == 4  # three, and the closing statement
    rent = _get(service, f"{path}/rent")
    assert (rent["attested_micros"], rent["payments"]) == (0, [])
    answer = service.client.get(f"/v1/console{path}/bond", headers=service.auth())
    problem(answer, 404, "bond_unknown")
    answer = service.client.get(f"/v1/console{path}/offer", headers=service.auth())
    problem(answer, 404, "not_found")


@pytest.mark.both_databases
def test_console__devices__records_gaps_outages_repeats(service: Service) -> None:
    """Device 0: 1 h used, 1 h missing, 1 h used, 1 h out; device 1: a voided hour; 2: nothing."""
    ledger = service.ledger
    ledger.clock.now_s = START_S + 5 * HOUR_S
    first = ledger.usage(0, 0, HOUR_S)
    wrong = ledger.usage(1, HOUR_S, 2 * HOUR_S)
    service.post([
        first, ledger.usage(0, 2 * HOUR_S, 3 * HOUR_S), ledger.outage(0, 3 * HOUR_S, 4 * HOUR_S),
        wrong, ledger.void(wrong), ledger.usage(3, 5 * HOUR_S, 5 * HOUR_S + 60),
    ])  # fmt: skip
    conflict = {**first, "data": {**first["data"], "lease": "lease-b"}}
    service.post([first, first, conflict])

    rows = _get(service, f"/facilities/{ledger.facility_id}/devices")

    assert [r["device"] for r in rows] == sorted(r["device"] for r in rows)
    by_uuid = {r.pop("uuid"): r for r in rows}
    assert by_uuid[device(0)] == {
        "device": hex32(device_hash(device(0))),
        "last_event_end_s": START_S + 4 * HOUR_S,
        "lag_s": HOUR_S,
        "pledge": "pledged",
        "records": 2,
        "gap_seconds": HOUR_S,
        "gaps": 1,
        "duplicates": 2,
        "conflicts": 1,
        "outage_seconds": HOUR_S,
    }
    empty = {"last_event_end_s": None, "lag_s": None, "records": 0, "gaps": 0, "gap_seconds": 0}
    assert empty.items() <= by_uuid[device(1)].items()
    assert empty.items() <= by_uuid[device(2)].items()
    # The window's start counts: five hours were never metered. The record ends ahead of the clock.
    ahead = {"lag_s": 0, "records": 1, "gaps": 1, "gap_seconds": 5 * HOUR_S}
    assert ahead.items() <= by_uuid[device(3)].items()
    ledger.clock.now_s = START_S + 3 * DAY_S
    rows = _get(service, f"/facilities/{ledger.facility_id}/devices")
    assert {r["lag_s"] for r in rows} == {None}


def test_console__of_another_operator__is_as_if_absent(service: Service) -> None:
    with transaction(service.ledger.engine) as connection:
        _, rival = add_operator(
            connection, actor="test", name="rival", address="0x" + "d" * 40, now_s=START_S
        )
    own = service.ledger.facility_id
    service.post([{"id": "secret"}])

    for page in ("offer", "devices", "rejections", "leases", "epochs", "rent", "bond"):
        path = f"/v1/console/facilities/{own}/{page}"
        foreign = service.client.get(path, headers=service.auth(rival))
        absent = service.client.get(path.replace(f"/{own}/", "/999/"), headers=service.auth(rival))
        problem(foreign, 404, "not_found")
        assert foreign.text.replace(str(own), "#") == absent.text.replace("999", "#")
        problem(service.client.get(path), 401, "unauthorized")
    shown = service.client.get("/v1/console", headers=service.auth(rival)).json()
    assert (shown["tasks"], shown["facilities"]) == ([], [])


@pytest.mark.chain
@pytest.mark.both_databases
def test_console__after_two_epochs__agrees_with_the_reconciliation(world: World) -> None:
    two_epochs(world)
    key = "0x" + wallet(1).key.hex().removeprefix("0x")
    chain_id = world.deployment.chain_id
    assert sign_in(world.http, key, chain_id=chain_id).json()["operator_name"] == "op"
    path = f"/v1/console/facilities/{world.facility_id}"

    shown = world.http.get("/v1/console").json()
    rent = world.http.get(f"{path}/rent").json()
    epochs = world.http.get(f"{path}/epochs").json()
    leases = world.http.get(f"{path}/leases").json()

    books = world.reconcile()
    (facility,) = shown["facilities"]
    assert facility["state"] == "delivering"
    assert [facility[f"epochs_{n}"] for n in ("closed", "posted", "settled")] == [2, 2, 2]
    assert facility["receivable_micros"] == books.differences.receivable_micros
    assert rent["attested_micros"] == books.attested_micros
    assert rent["collected_micros"] == books.collected_micros == 60_000_000
    assert rent["receivable_micros"] == books.differences.receivable_micros == 30_000_000
    assert sum(r["attested_micros"] for r in rent["by_lease"]) == books.attested_micros
    assert sum(r["paid_micros"] for r in rent["by_lease"]) == books.collected_micros
    # What was paid in the name of no lease is shown as such.
    assert [r["lease"] for r in rent["by_lease"] if r["lease_id"] is None] == ["0x" + "01" * 32]
    assert [p["amount_micros"] for p in rent["payments"]] == [40_000_000, 20_000_000]
    assert [e["state"] for e in epochs["epochs"]] == ["future", "open", "settled", "settled"]
    assert epochs["epochs"][2]["signatures"] == 2
    assert sum(lease["attested_micros"] for lease in leases) == books.attested_micros
    tasks = {t["kind"]: t for t in shown["tasks"]}
    assert tasks["rent_overdue"]["amount_micros"] == 30_000_000
    assert tasks["metering_silent"]["severity"] == "warning"
    page = world.http.get(f"{path}/epochs?offset=2&limit=1").json()["epochs"]
    assert [e["epoch"] for e in page] == [1]
    assert world.http.get(f"{path}/epochs?offset=9").json()["epochs"] == []


@pytest.mark.chain
def test_console__books_closed__counts_the_closing_statement_as_no_epoch(world: World) -> None:
    all_epochs(world)
    key = "0x" + wallet(1).key.hex().removeprefix("0x")
    sign_in(world.http, key, chain_id=world.deployment.chain_id)

    (facility,) = world.http.get("/v1/console").json()["facilities"]

    tranche = world.http.get(f"/v1/tranches/{world.token_ids[0]}").json()
    assert facility["epochs_posted"] == tranche["terms"]["epochs_posted"] == world.posted == 3


@pytest.mark.chain
def test_console__before_delivery__says_what_is_missing(world: World) -> None:
    later = world.ledger.add_facility(
        range(10, 12),
        name="hall-2",
        window_start_s=START_S + 30 * DAY_S,
        window_end_s=START_S + 33 * DAY_S,
        settlement_token=world.deployment.settlement_token,
    )
    headers = {"Authorization": f"Bearer {world.ledger.api_key}"}

    def kinds() -> list[str]:
        world.indexer().advance()
        tasks = world.http.get("/v1/console", headers=headers).json()["tasks"]
        return [t["kind"] for t in tasks if t["facility_id"] == later]

    assert kinds() == ["offer_missing"]
    with reading(world.engine) as connection:
        terms = decode_facility(facility_row(connection, later).terms_json)
    registry = world.deployment.facility_registry
    offer = world.http.get(f"/v1/console/facilities/{later}/offer", headers=headers).json()
    assert offer == {"to": registry, "data": calldata.offer(terms)}
    send(world.client, world.operator, offer["to"], offer["data"])
    assert kinds() == ["mint_or_sale_missing", "pledge_not_approved"]
    vault = world.deployment.bond_vault
    bond = calldata.call("BondVault", "setTerms", later, (5_000, 7))
    send(world.client, world.operator, vault, bond)
    assert kinds() == ["bond_below_required", "mint_or_sale_missing", "pledge_not_approved"]
    world.approve_pledge(later)
    assert kinds() == ["bond_below_required", "mint_or_sale_missing"]
    shown = world.http.get(f"/v1/console/facilities/{later}/bond", headers=headers).json()
    assert shown == {
        "bond_micros": 0,
        "required_bond_micros": 5_000,
        "rate_micros_per_gpu_hour": 7,
    }


@pytest.mark.chain
def test_cancelled_offer__its_devices__can_be_pledged_again(world: World) -> None:
    """Registering refuses a device twice, until the facility that holds it is cancelled."""
    window = {"window_start_s": START_S + 30 * DAY_S, "window_end_s": START_S + 33 * DAY_S}
    token = world.deployment.settlement_token

    def add(name: str) -> int:
        return world.ledger.add_facility(range(10, 12), name=name, settlement_token=token, **window)

    first = add("hall-2")
    headers = {"Authorization": f"Bearer {world.ledger.api_key}"}
    offer = world.http.get(f"/v1/console/facilities/{first}/offer", headers=headers).json()
    send(world.client, world.operator, offer["to"], offer["data"])
    world.indexer().advance()
    with pytest.raises(Conflict, match="is pledged to facility"):
        add("hall-3")

    cancel = "0x" + _CANCEL.encode(first).hex()
    send(world.client, world.operator, world.deployment.facility_registry, cancel)
    world.indexer().advance()
    second = add("hall-3")

    console = world.http.get("/v1/console", headers=headers).json()
    states = {f["facility_id"]: f["state"] for f in console["facilities"]}
    assert (states[first], states[second]) == ("cancelled", "registered")
    tasks = [(t["facility_id"], t["kind"]) for t in console["tasks"]]
    assert [t for t in tasks if t[0] in (first, second)] == [(second, "offer_missing")]


@pytest.mark.chain
def test_expired_offer__its_devices__can_be_pledged_again(world: World) -> None:
    """Time alone cancels an offer that nobody funded, and nothing need be logged of it."""
    window = {"window_start_s": START_S + 30 * DAY_S, "window_end_s": START_S + 33 * DAY_S}
    window |= {"expires_at_s": START_S + DAY_S}
    token = world.deployment.settlement_token

    def add(name: str) -> int:
        return world.ledger.add_facility(range(10, 12), name=name, settlement_token=token, **window)

    first = add("hall-2")
    headers = {"Authorization": f"Bearer {world.ledger.api_key}"}
    offer = world.http.get(f"/v1/console/facilities/{first}/offer", headers=headers).json()
    send(world.client, world.operator, offer["to"], offer["data"])
    world.at(DAY_S - 1)
    world.indexer().advance()
    with pytest.raises(Conflict, match="is pledged to facility"):
        add("hall-3")

    world.at(DAY_S)
    world.indexer().advance()
    add("hall-3")

    console = world.http.get("/v1/console", headers=headers).json()
    states = {f["facility_id"]: f["state"] for f in console["facilities"]}
    assert states[first] == "cancelled"
    tranche = world.http.get(f"/v1/tranches/{first << 8}").json()
    assert tranche["state"] == "cancelled"


@pytest.mark.chain
def test_console__closed_without_quorum__is_stuck(world: World) -> None:
    world.at(DAY_S)
    world.ledger.ingest(world.ledger.usage(0, 0, HOUR_S))
    world.at(DAY_S + 3 * GRACE_S)
    world.round()
    headers = {"Authorization": f"Bearer {world.ledger.api_key}"}

    tasks = world.http.get("/v1/console", headers=headers).json()["tasks"]

    stuck = [(t["epoch"], t["severity"]) for t in tasks if t["kind"] == "epoch_stuck"]
    assert stuck == [(0, "warning")]
