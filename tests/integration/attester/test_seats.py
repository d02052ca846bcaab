"""What an attester's API key opens: its own account's, and logs of facilities where that sits."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import update

from api.access import key_book
from api.access.key_book import Account, Maker, NewKey
from api.access.key_text import id_of
from api.access.keys import UNKNOWN
from api.access.scopes import Role, Scope
from api.chain import calldata
from api.chain.abi import Function
from api.chain.calldata import checksum
from api.chain.signatures import function
from api.chain.structs import to_abi
from api.chain.terms import offered_terms
from api.db.facilities import known_facility_row
from api.db.session import reading, transaction
from api.db.tables.access import api_keys
from api.domain.statements.evidence_reader import terms_from_bytes
from api.domain.units import Address, FacilityId
from scripts.dev.stack import ATTESTER_ACCOUNTS, COMPLIANCE, OPERATORS, RENTER
from tests.contract_attesters import WORDS, deploy
from tests.factories import DAY_S, HOUR_S, START_S
from tests.integration.conftest import chain_with
from tests.integration.service import problem
from tests.world import World, send, wallet

pytestmark = pytest.mark.chain
# Between a change of seats and its beginning, as where governance is slow on purpose.
DELAY_S = 2 * HOUR_S
FIRST, SECOND, THIRD = (checksum(wallet(i).address) for i in ATTESTER_ACCOUNTS)
NEWCOMER = checksum(wallet(9).address)


@pytest.fixture(scope="session")
def chain_state(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A chain on which new seats wait."""
    folder = tmp_path_factory.mktemp("slow-seats")
    return chain_with(folder, RENTROLL_ACTIVATION_DELAY_S=str(DELAY_S))


@pytest.fixture
def metered(world: World) -> World:
    """One event in the log, and all of the chain indexed."""
    world.at(HOUR_S)
    world.ledger.ingest(world.ledger.usage(0, 0, HOUR_S))
    world.indexer().advance()
    return world


def _govern(world: World, name: str, *arguments: Any) -> None:
    registry = world.deployment.attester_registry
    call = calldata.call("AttesterRegistry", name, *arguments)
    send(world.client, wallet(COMPLIANCE).address, registry, call)


def _seat(world: World, *accounts: str, panel: int = 1) -> None:
    """Governance gives a panel other seats, which begin after the delay."""
    _govern(world, "setPanel", panel, sorted(accounts, key=lambda account: int(account, 16)))
    world.indexer().advance()


def _join(world: World, account: str) -> None:
    """Governance makes an account a member; that counts, without a bond, after the delay."""
    _govern(world, "setAttester", account, True)


def _read(world: World, account: str, facility_id: int | None = None) -> httpx.Response:
    path = f"/v1/attester/facilities/{facility_id or world.facility_id}/log"
    return world.http.get(path, headers=world.as_attester(account))


def _no_seat(answer: httpx.Response) -> str:
    said = problem(answer, 403, "forbidden")
    assert said["reason"] == "no_seat"
    assert "entry" not in answer.text
    return str(said["detail"])


def _add(world: World, devices: range, name: str) -> FacilityId:
    token = world.deployment.settlement_token
    return FacilityId(world.ledger.add_facility(devices, name=name, settlement_token=token))


# --- the log --------------------------------------------------------------------------------------


def test_log__of_a_facility_where_only_another_sits__is_not_shown(world: World) -> None:
    """A spy with a good key of its own: the panel of another facility holds another alone."""
    _seat(world, SECOND, panel=2)
    world.at(-DAY_S // 2)
    of_offers = "0x" + Function("setOfferPanel", ("uint8",)).encode(2).hex()
    registry = world.deployment.attester_registry
    send(world.client, wallet(COMPLIANCE).address, registry, of_offers)
    other = _add(world, range(10, 14), "hall-2")
    world.offer(other)
    world.indexer().advance()
    entry = f"/v1/attester/facilities/{other}/log/entries/1"

    told = _no_seat(_read(world, FIRST, other))

    assert told.startswith(f"{FIRST} has no seat on panel 2 of facility {other}")
    _no_seat(world.http.get(entry, headers=world.as_attester(FIRST)))
    assert _read(world, SECOND, other).status_code == 200
    assert [_read(world, each).status_code for each in (FIRST, SECOND, THIRD)] == [200] * 3


def test_log__from_when_a_seat_is_announced__is_read_before_it_begins(metered: World) -> None:
    """A new attester needs all that came before: it signs from its first second on."""
    _join(metered, NEWCOMER)
    metered.indexer().advance()
    before = _no_seat(_read(metered, NEWCOMER))

    metered.at(HOUR_S + DELAY_S)
    _seat(metered, NEWCOMER, SECOND, THIRD)
    announced = _read(metered, NEWCOMER)
    panel = metered.now(metered.contracts.attester_registry.panel_of(1)).attesters

    assert "none is announced" in before
    assert NEWCOMER.lower() not in map(str.lower, panel)
    assert '"type":"entry"' in announced.text
    # Whoever leaves sits until then, and still has to sign.
    assert _read(metered, FIRST).status_code == 200


def test_log__once_a_seat_is_lost__is_read_no_more(metered: World) -> None:
    _join(metered, NEWCOMER)
    metered.at(HOUR_S + DELAY_S)
    _seat(metered, NEWCOMER, SECOND, THIRD)
    metered.at(HOUR_S + 2 * DELAY_S - 1)
    last = _read(metered, FIRST)

    metered.at(HOUR_S + 2 * DELAY_S)

    # No block was indexed since: that a seat ends was known before.
    assert last.status_code == 200
    assert f"{FIRST} has no seat on panel 1" in _no_seat(_read(metered, FIRST))
    assert _read(metered, NEWCOMER).status_code == 200


def test_log__announced_seat_that_was_taken_back__is_read_no_more(metered: World) -> None:
    """Seats that waited and that others replaced never hold."""
    _join(metered, NEWCOMER)
    metered.at(HOUR_S + DELAY_S)
    _seat(metered, NEWCOMER, SECOND, THIRD)
    announced = _read(metered, NEWCOMER)
    _seat(metered, FIRST, SECOND, THIRD)

    assert announced.status_code == 200
    _no_seat(_read(metered, NEWCOMER))
    assert _read(metered, FIRST).status_code == 200


def test_log__panel_changed_while_an_epoch_is_open__is_read_by_whoever_must_sign_it(
    metered: World,
) -> None:
    """Seats of the posting count: who sits then signs also what was metered before it sat."""
    _join(metered, NEWCOMER)
    metered.at(HOUR_S + DELAY_S)
    _seat(metered, NEWCOMER, SECOND, THIRD)
    metered.at_cut_off(0)
    metered.round()

    assert "no seat" in _no_seat(_read(metered, FIRST))
    with reading(metered.engine) as connection:
        size = known_facility_row(connection, FacilityId(metered.facility_id)).log_size
    assert _read(metered, NEWCOMER).text.count('"type":"entry"') == size > 0
    assert [v.signed for v in metered.attest(1, 2)] == [True, True]
    metered.round()
    assert metered.posted == 1


def test_log__of_a_seat_without_a_bond__is_read_and_nothing_of_it_counts(metered: World) -> None:
    """The bond can be paid in while the seat is held; the seat is what obliges."""
    _join(metered, NEWCOMER)
    metered.at(HOUR_S + DELAY_S)
    _seat(metered, NEWCOMER, SECOND, THIRD)
    metered.at_cut_off(0)
    metered.round()

    assert _read(metered, NEWCOMER).status_code == 200
    attester = metered.attester(0)
    assert attester.run_once() == []
    path = f"/v1/attester/facilities/{metered.facility_id}/epochs/0/attestations"
    body = {"attester": NEWCOMER, "signature": "0x" + "11" * 65}
    answer = metered.http.post(path, json=body, headers=metered.as_attester(NEWCOMER))
    assert answer.status_code == 422


def test_log__of_a_contract_that_sits__is_read_with_the_key_that_names_it(metered: World) -> None:
    """ERC-1271: whoever signs for it, the key speaks for the contract."""
    contract = deploy(metered, "MockContractAttester")
    _join(metered, contract)
    metered.at(HOUR_S + DELAY_S)
    _seat(metered, contract, SECOND, THIRD)

    assert _read(metered, contract).status_code == 200
    path = f"/v1/attester/facilities/{metered.facility_id}/epochs/0/attestations"
    body = {"attester": contract, "signature": "0x" + WORDS.hex()}
    answer = metered.http.post(path, json=body, headers=metered.as_attester(SECOND))
    assert problem(answer, 403, "forbidden")["reason"] == "other_account"


def test_log__of_an_offer__is_read_before_its_pledge_is_signed(world: World) -> None:
    world.indexer().advance()
    offered = _add(world, range(10, 14), "hall-2")
    world.offer(offered)
    unread = _no_seat(_read(world, FIRST, offered))
    world.indexer().advance()

    answer = _read(world, FIRST, offered)
    waiting = world.http.get(
        "/v1/attester/pledges", params={"attester": FIRST}, headers=world.as_attester(FIRST)
    )

    # The index was behind, and the answer says how far it is.
    assert "was not offered on-chain" in unread
    assert "the service has read all up to block" in unread
    assert answer.status_code == 200
    assert [row["facility_id"] for row in waiting.json()] == [offered]


def test_log__of_a_facility_that_was_never_offered__is_shown_to_nobody(metered: World) -> None:
    """An answer that does not say whether there is such a facility."""
    hidden = _add(metered, range(10, 14), "hall-2")
    metered.indexer().advance()

    for account in (FIRST, SECOND, THIRD, checksum(wallet(RENTER).address)):
        kept = _no_seat(_read(metered, account, hidden))
        absent = _no_seat(_read(metered, account, 99))
        assert kept.replace(str(hidden), "#") == absent.replace("99", "#")


def test_log__whose_id_another_operator_offered__stays_hidden(world: World) -> None:
    """Anybody with an operator's role may offer any id, and name the hash of other's terms."""
    hidden = _add(world, range(10, 14), "hall-2")
    squatter, registry = wallet(OPERATORS[1]).address, world.deployment.facility_registry
    with reading(world.engine) as connection:
        terms = terms_from_bytes(known_facility_row(connection, hidden).terms_json)
    said = replace(offered_terms(terms), gpu_operator=Address(squatter.lower()))
    tranches = [(t.unit_cap, t.coupon_micros_per_unit) for t in terms.tranches]
    call = function("FacilityRegistry", "offer").encode(hidden, to_abi(said), tranches)
    send(world.client, squatter, registry, "0x" + call.hex())
    world.indexer().advance()

    assert "was not offered on-chain" in _no_seat(_read(world, FIRST, hidden))


def test_log__before_any_block_is_indexed__is_shown_to_nobody(world: World) -> None:
    assert "the service has read no block yet" in _no_seat(_read(world, FIRST))


# --- accounts -------------------------------------------------------------------------------------


def _operations(world: World) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in world.app.openapi()["paths"].items():
        for method, operation in methods.items():
            if operation["tags"] == ["attester"]:
                yield method.upper(), path, operation


def _asked(world: World, path: str) -> str:
    for place, value in {
        "facility_id": str(world.facility_id), "epoch": "0", "number": "1",
        "pledge_root": "0x" + "11" * 32,
    }.items():  # fmt: skip
        path = path.replace("{" + place + "}", value)
    return path


def _body(operation: dict[str, Any], account: str) -> dict[str, Any] | None:
    if "requestBody" not in operation:
        return None
    signed = {"attester": account, "signature": "0x" + "11" * 65}
    [media] = operation["requestBody"]["content"].values()
    if media["schema"]["$ref"].endswith("RefusalIn"):
        hashes = ("statement_hash", "evidence_hash", "previous_statement_hash")
        numbers = ("chain_id", "facility_id", "epoch", "rejections", "until_s", "signed_at_s")
        zero, desk = "0x" + "00" * 32, "0x" + "22" * 20
        said: dict[str, Any] = dict.fromkeys(hashes, zero) | dict.fromkeys(numbers, 1)
        words = {"code": "not_recomputed", "place": "", "message": "", "desk": desk}
        return {"format": 1} | said | words | signed
    return signed | ({"approvals": 1} if "Pledge" in media["schema"]["$ref"] else {})


def test_account__of_another_in_query_or_body__is_refused_on_every_route(metered: World) -> None:
    """One who asks what another did not sign yet, or hands in for it."""
    named = 0
    for method, path, operation in _operations(metered):
        asks = any(p["name"] == "attester" for p in operation.get("parameters", ()))
        body = _body(operation, SECOND)
        if not asks and body is None:
            continue
        answer = metered.http.request(
            method,
            _asked(metered, path),
            params={"attester": SECOND.lower()} if asks else None,
            json=body,
            headers=metered.as_attester(FIRST),
        )
        said = problem(answer, 403, "forbidden")
        assert said["reason"] == "other_account", f"{method} {path}"
        assert said["detail"] == f"this API key speaks for {FIRST}, not for {SECOND}"
        named += 1

    # All others are of a facility's log, where a seat is asked for.
    rest = [path for _, path, o in _operations(metered) if "/log" in path]
    assert (named, len(rest)) == (7, 2)
    assert len(list(_operations(metered))) == 9


def test_key__of_before_that_names_no_account__may_nothing_and_says_what_to_do(
    metered: World,
) -> None:
    headers = metered.as_attester(FIRST)
    with transaction(metered.engine) as connection:
        connection.execute(update(api_keys).values(attester=None))

    for method, path, operation in _operations(metered):
        answer = metered.http.request(
            method,
            _asked(metered, path),
            params={"attester": FIRST},
            json=_body(operation, FIRST),
            headers=headers,
        )
        said = problem(answer, 403, "forbidden")
        assert said["reason"] == "no_account", f"{method} {path}"
        assert "have the service's admin make one that names yours" in said["detail"]


def test_scoped_key__of_a_seat__does_no_more_than_its_scope(metered: World) -> None:
    keys = {}
    for scope in (Scope.READ, Scope.ATTEST):
        new = NewKey(Account(Role.ATTESTER, None), scope.value, {scope}, attester=FIRST)
        with transaction(metered.engine) as connection:
            made = key_book.make_key(connection, new, by=Maker(UNKNOWN, None), now_s=START_S)
        keys[scope] = {"Authorization": f"Bearer {made.text}"}
    log = f"/v1/attester/facilities/{metered.facility_id}/log"
    sign = f"/v1/attester/facilities/{metered.facility_id}/epochs/0/attestations"
    body = {"attester": FIRST, "signature": "0x" + "11" * 65}

    assert metered.http.get(log, headers=keys[Scope.READ]).status_code == 200
    problem(metered.http.get(log, headers=keys[Scope.ATTEST]), 403, "scope_missing")
    refused = metered.http.post(sign, json=body, headers=keys[Scope.READ])
    problem(refused, 403, "scope_missing")
    # Nothing is closed yet: the key was good for it.
    taken = metered.http.post(sign, json=body, headers=keys[Scope.ATTEST])
    problem(taken, 404, "not_found")


def test_rotated_key__speaks_for_the_same_account_and_revoked_for_nobody(metered: World) -> None:
    key = metered.attesters.key_of(FIRST)
    with transaction(metered.engine) as connection:
        now_s, by = START_S, Maker(UNKNOWN, None)
        _, made = key_book.rotate_key(
            connection, None, str(id_of(key)), overlap_s=0, expires_at_s=None, by=by, now_s=now_s
        )
    headers = {"Authorization": f"Bearer {made.text}"}
    log = f"/v1/attester/facilities/{metered.facility_id}/log"
    other = metered.http.get("/v1/attester/pending", params={"attester": SECOND}, headers=headers)

    assert made.row.attester == FIRST
    assert metered.http.get(log, headers=headers).status_code == 200
    assert problem(other, 403, "forbidden")["reason"] == "other_account"
    assert problem(_read(metered, FIRST), 401, "unauthorized")["reason"] == "revoked"
    with transaction(metered.engine) as connection:
        key_book.revoke_key(
            connection, None, made.row.key_id, at_s=None, also_last=True, by=by, now_s=now_s
        )
    assert metered.http.get(log, headers=headers).status_code == 401
