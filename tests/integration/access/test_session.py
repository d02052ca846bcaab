"""Sign-In with Ethereum: sessions, nonces, CSRF, tenants (ATTACKS 38)."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from fastapi.testclient import TestClient
from sqlalchemy import func, insert, select, update

from api.access import sessions as store
from api.access import sign_in as steps
from api.access.nonces import NONCE_LIFE_S
from api.chain.abi import Function
from api.chain.answers import to_bytes
from api.chain.calldata import checksum
from api.chain.client import ChainClient
from api.chain.contracts import Contracts
from api.db.session import reading, transaction
from api.db.tables.access import session_nonces, sessions
from api.db.tables.facilities import operators
from api.routes.service import service_of
from scripts.dev.stack import RENTER
from tests.factories import HOUR_S
from tests.integration.service import ADMIN_KEY, Service, change_service, problem
from tests.wallets import nonce_of, sign_in, sign_in_text, signed
from tests.world import Deployed, wallet

KEY, OTHER_KEY = "0x" + "11" * 32, "0x" + "22" * 32
ADDRESS = Account.from_key(KEY).address


@pytest.fixture(autouse=True)
def chain_id(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """The node would say 1."""
    monkeypatch.setattr(service_of(service.app).client, "chain_id", lambda: 1)
    monkeypatch.setattr(service_of(service.app).client, "code", lambda _address: b"")


def _own_address(service: Service, address: str = ADDRESS) -> None:
    """Make the ledger's operator the owner of a wallet's address."""
    with transaction(service.ledger.engine) as connection:
        mine = operators.c.operator_id == service.ledger.operator_id
        connection.execute(update(operators).where(mine).values(address=address))


def test_session__of_an_operator__may_what_its_key_may(service: Service) -> None:
    _own_address(service)
    client = service.client

    answer = sign_in(client, KEY)

    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert (made["address"], made["operator_name"]) == (ADDRESS, "op")
    cookie = answer.headers["set-cookie"].lower()
    for part in ("httponly", "samesite=strict", "path=/", "max-age=43200"):
        assert part in cookie
    assert "secure" not in cookie
    assert "domain" not in cookie
    assert answer.headers["cache-control"] == "no-store"
    assert client.get("/v1/session").json() == made
    csrf = {"X-CSRF-Token": made["csrf_token"], "Origin": "http://testserver"}
    body = [service.ledger.usage(0, 0, HOUR_S)]
    sent = client.post(
        "/v1/events",
        content=json.dumps(body),
        headers={**csrf, "Content-Type": "application/cloudevents-batch+json"},
    )
    assert sent.json()["accepted"] == 1

    assert client.delete("/v1/session", headers=csrf).status_code == 204
    problem(client.get("/v1/session"), 401, "unauthorized")


def test_session__of_a_stranger__is_no_operator(service: Service) -> None:
    csrf = sign_in(service.client, KEY).json()
    assert (csrf["operator_id"], csrf["operator_name"]) == (None, None)

    headers = {"X-CSRF-Token": csrf["csrf_token"]}
    answer = service.client.post("/v1/events", content=b"[]", headers=headers)

    problem(answer, 403, "forbidden")


def test_session__key_beside_the_cookie__is_what_counts(service: Service) -> None:
    _own_address(service)
    sign_in(service.client, KEY)

    wrong = service.client.post("/v1/events", content=b"[]", headers=service.auth("wrong"))
    right = service.post([])

    problem(wrong, 401, "unauthorized")
    assert right.status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-CSRF-Token": ""},
        {"X-CSRF-Token": "é".encode()},
        {"X-CSRF-Token": "x" * 43},
        {"X-CSRF-Token": "TOKEN", "Origin": "https://evil.example"},
        {"X-CSRF-Token": "TOKEN", "Origin": "null"},
        {"X-CSRF-Token": "TOKEN", "Origin": "https://testserver"},
        {"X-CSRF-Token": "TOKEN", "Origin": "http://testserver:81"},
    ],
)
def test_csrf__without_token_or_from_another_site__changes_nothing(
    service: Service, headers: dict[str, Any]
) -> None:
    _own_address(service)
    token = sign_in(service.client, KEY).json()["csrf_token"]
    sent = {k: token if v == "TOKEN" else v for k, v in headers.items()}
    lease = f"/v1/facilities/{service.ledger.facility_id}/leases/lease-a/close"

    answers = [
        service.client.request(method, path, json=body, headers=sent)
        for method, path, body in (
            ("POST", lease, {"closed_at": "2026-01-02T00:00:00Z"}),
            ("POST", "/v1/events", []),
            ("DELETE", "/v1/session", None),
        )
    ]

    for answer in answers:
        problem(answer, 403, "csrf_refused")
    assert service.client.get("/v1/session").status_code == 200


def test_csrf__token_of_another_session__is_refused(service: Service) -> None:
    other = sign_in(TestClient(service.app), OTHER_KEY).json()["csrf_token"]
    sign_in(service.client, KEY)

    answer = service.client.delete("/v1/session", headers={"X-CSRF-Token": other})

    problem(answer, 403, "csrf_refused")


def test_sign_in__from_another_sites_page__is_refused(service: Service) -> None:
    text = sign_in_text(ADDRESS, nonce_of(service.client))
    body = {"message": text, "signature": signed(KEY, text)}

    answer = service.client.post("/v1/session", json=body, headers={"Origin": "http://evil"})

    problem(answer, 403, "csrf_refused")


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"prefix": "evil.example"}, 401, "siwe_domain_wrong"),
        ({"prefix": "https://testserver"}, 401, "siwe_domain_wrong"),
        ({"uri": "https://evil.example/"}, 401, "siwe_uri_wrong"),
        ({"chain_id": 31_337}, 401, "siwe_chain_wrong"),
        ({"tail": "\nExpiration Time: 2026-01-01T00:00:00Z"}, 401, "siwe_expired"),
        ({"tail": "\nNot Before: 2100-01-01T00:00:00Z"}, 401, "siwe_not_yet_valid"),
        ({"version": "2"}, 422, "siwe_malformed"),
    ],
)
def test_sign_in__wrong_message__is_a_problem_of_its_own(
    service: Service, changes: dict[str, Any], status: int, code: str
) -> None:
    problem(sign_in(service.client, KEY, **changes), status, code)
    problem(service.client.get("/v1/session"), 401, "unauthorized")


@pytest.mark.both_databases
def test_sign_in__nonce_unknown_used_or_old__is_refused(service: Service) -> None:
    client = service.client
    text = sign_in_text(ADDRESS, nonce_of(client))
    body = {"message": text, "signature": signed(KEY, text)}
    assert client.post("/v1/session", json=body).status_code == 201
    problem(client.post("/v1/session", json=body), 401, "siwe_nonce_unknown")

    text = sign_in_text(ADDRESS, "0123456789abcdef")
    body = {"message": text, "signature": signed(KEY, text)}
    problem(client.post("/v1/session", json=body), 401, "siwe_nonce_unknown")

    text = sign_in_text(ADDRESS, nonce_of(client))
    body = {"message": text, "signature": signed(KEY, text)}
    later = int(time.time()) + NONCE_LIFE_S + 2
    change_service(service.app, session_clock=lambda: later)
    problem(client.post("/v1/session", json=body), 401, "siwe_nonce_unknown")


def test_sign_in__signature_of_another_key_or_text__is_refused(service: Service) -> None:
    client = service.client
    text = sign_in_text(ADDRESS, nonce_of(client))
    good = bytes.fromhex(signed(KEY, text)[2:])
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    high_s = (order - int.from_bytes(good[32:64], "big")).to_bytes(32, "big")
    wrong = [
        signed(OTHER_KEY, text),
        signed(KEY, text + " "),
        "0x" + "00" * 65,
        "0x" + good[:64].hex(),
        "0x" + (good[:32] + high_s + bytes([55 - good[64]])).hex(),
    ]

    for signature in wrong:
        answer = client.post("/v1/session", json={"message": text, "signature": signature})
        problem(answer, 401, "siwe_signature_wrong")
    zero_based = good[:64] + bytes([good[64] - 27])
    last = client.post("/v1/session", json={"message": text, "signature": "0x" + zero_based.hex()})
    assert last.status_code == 201


@pytest.mark.both_databases
def test_sign_in__two_at_once_with_one_nonce__one_session(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = sign_in_text(ADDRESS, nonce_of(service.client))
    body = {"message": text, "signature": signed(KEY, text)}
    judge: Callable[..., Any] = steps.signed_by
    twin: list[int] = []

    def meanwhile(*arguments: Any) -> Any:
        if not twin:
            twin.append(0)
            twin[0] = TestClient(service.app).post("/v1/session", json=body).status_code
        return judge(*arguments)

    monkeypatch.setattr(steps, "signed_by", meanwhile)
    answer = service.client.post("/v1/session", json=body)

    assert twin == [201]
    problem(answer, 401, "siwe_nonce_unknown")
    assert service.count(sessions) == 1


def test_session__over_or_forged__is_401(service: Service) -> None:
    sign_in(service.client, KEY)
    later = int(time.time()) + steps.SESSION_LIFE_S + 2
    change_service(service.app, session_clock=lambda: later)
    problem(service.client.get("/v1/session"), 401, "unauthorized")

    with reading(service.ledger.engine) as connection:
        stored = connection.execute(select(sessions.c.token_hash)).scalar_one()
    for forged in (stored.hex(), "x", "", "x" * 10_000):
        client = TestClient(service.app, cookies={"rentroll_session": forged})
        problem(client.get("/v1/session"), 401, "unauthorized")


def test_session__stored__is_a_hash_only(service: Service) -> None:
    answer = sign_in(service.client, KEY)
    token, csrf = service.client.cookies["rentroll_session"], answer.json()["csrf_token"]

    with reading(service.ledger.engine) as connection:
        rows = [tuple(r) for r in connection.execute(select(sessions))]

    assert token not in answer.text
    assert not any(secret in str(rows) for secret in (token, csrf))
    assert token.encode() not in b"".join(v for row in rows for v in row if isinstance(v, bytes))


@pytest.mark.both_databases
def test_nonces_and_sessions__flood__stays_bounded(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """D21: nonces that nobody uses take no room, and take none from who signs slowly."""
    monkeypatch.setattr(store, "MAX_SESSIONS_OF_AN_ADDRESS", 2)
    with transaction(service.ledger.engine) as connection:
        connection.execute(insert(session_nonces).values(nonce="long-gone", expires_at_s=1))

    slow = nonce_of(service.client)
    nonces = [nonce_of(service.client) for _ in range(60)]
    for _ in range(4):
        assert sign_in(service.client, KEY).status_code == 201

    assert len(set(nonces)) == 60
    with reading(service.ledger.engine) as connection:
        count = connection.execute(select(func.count()).select_from(session_nonces)).scalar_one()
    assert count == 4
    text = sign_in_text(ADDRESS, slow)
    body = {"message": text, "signature": signed(KEY, text)}
    assert service.client.post("/v1/session", json=body).status_code == 201
    assert service.count(sessions) == 2
    assert service.client.get("/v1/session").status_code == 200


def test_public_url__https__makes_the_cookie_secure(service: Service) -> None:
    service_of(service.app).settings.public_url = "https://rentroll.example/"
    site = {"prefix": "rentroll.example", "uri": "https://rentroll.example/console"}

    answer = sign_in(service.client, KEY, **site)

    assert answer.status_code == 201
    assert "secure" in answer.headers["set-cookie"].lower()
    problem(sign_in(service.client, KEY), 401, "siwe_domain_wrong")


def test_public_url__not_set__only_this_machine_names_itself(service: Service) -> None:
    """A site that relays its visitors' signatures would put its own name into Host."""
    service_of(service.app).settings.public_url = None
    for host in ("127.0.0.1:8000", "localhost", "[::1]:8000"):
        client = TestClient(service.app, base_url=f"http://{host}")
        answer = sign_in(client, KEY, prefix=host, uri=f"http://{host}/")
        assert answer.status_code == 201, answer.text
    evil = TestClient(service.app, base_url="http://evil.example", raise_server_exceptions=False)
    problem(
        sign_in(evil, KEY, prefix="evil.example", uri="http://evil.example/"), 500, "misconfigured"
    )


def test_session__cannot_act_as_admin_or_attester(service: Service) -> None:
    _own_address(service)
    csrf = sign_in(service.client, KEY).json()["csrf_token"]
    headers = {"X-CSRF-Token": csrf}

    named = {"label": "x", "attester": ADDRESS}
    admin = service.client.post("/v1/attester-keys", json=named, headers=headers)
    attester = service.client.get(f"/v1/attester/pending?attester={ADDRESS}")

    problem(admin, 401, "unauthorized")
    problem(attester, 401, "unauthorized")


def test_session__operator_registered_later__is_seen_at_once(service: Service) -> None:
    sign_in(service.client, KEY)
    body = {"name": "<b>late</b>", "address": ADDRESS.lower()}
    made = service.client.post("/v1/operators", json=body, headers=service.auth(ADMIN_KEY)).json()

    shown = service.client.get("/v1/session").json()

    assert (shown["operator_id"], shown["operator_name"]) == (made["operator_id"], "<b>late</b>")


@pytest.mark.chain
def test_sign_in__contract_wallet__is_asked_on_chain(
    service: Service, fresh_chain: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ERC-1271: accepting, refusing, reverting, answering short."""
    monkeypatch.undo()
    client = ChainClient(fresh_chain.chain.rpc_url)
    contracts = Contracts(client, fresh_chain.deployment)
    change_service(service.app, client=client, contracts=contracts)
    address = _deploy(client, "MockContractAttester")
    _own_address(service, address)
    codes = []
    for mood in (0, 1, 2, 3):
        data = _set_mood(mood)
        call = {"from": wallet(RENTER).address, "to": address, "data": data}
        client.request("eth_sendTransaction", call, attempts=1)
        text = sign_in_text(
            address, nonce_of(service.client), chain_id=fresh_chain.deployment.chain_id
        )
        body = {"message": text, "signature": "0x" + "ab" * 70}
        answer = service.client.post("/v1/session", json=body)
        codes.append(answer.json().get("code", answer.status_code))
    client.close()

    assert codes == ["siwe_signature_wrong", 201, "siwe_signature_wrong", "siwe_signature_wrong"]
    assert service.client.get("/v1/session").json()["operator_name"] == "op"


def _set_mood(mood: int) -> str:
    return "0x" + Function("setMood", ("uint8",)).encode(mood).hex()


def _deploy(client: ChainClient, name: str) -> str:
    built = Path(__file__).resolve().parents[3] / "build" / "contracts" / f"{name}.json"
    data = "0x" + json.loads(built.read_text())["bytecode"]
    call = {"from": wallet(RENTER).address, "data": data, "gas": hex(1_000_000)}
    tx_hash = client.request("eth_sendTransaction", call, attempts=1)
    receipt = None
    while receipt is None:
        receipt = client.receipt(to_bytes("eth_sendTransaction", tx_hash))
    assert receipt.contract_address is not None
    return checksum(receipt.contract_address)
