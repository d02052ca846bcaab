"""Signed requests: who may sign, what becomes of it, and receipts that last."""

import json
from pathlib import Path
from typing import Any

import pytest

from api.chain import calldata
from api.db.facilities import facility_row
from api.db.log import logged_after
from api.db.session import reading, transaction
from api.db.tables.ledger import log_entries
from api.domain.log.answers import ACCEPTED, DUPLICATE, REJECTED
from api.domain.log.entry import entry_hash
from api.domain.log.logged import events_of
from api.domain.log.receipts import receipt_from
from api.domain.log.signers import only
from api.domain.statements.evidence_reader import terms_from_bytes
from api.domain.units import ZERO32, Bytes32
from api.local.key_file import load_or_make_key
from tests.factories import DAY_S, HOUR_S
from tests.signing import Author, collector_of, name_on_chain, raw_key, signing_operator
from tests.world import World, send

pytestmark = pytest.mark.chain


@pytest.fixture
def signing(world: World) -> tuple[Author, Author]:
    """The operator's ledger key and one collector's, in the log of a facility."""
    world.at(DAY_S)
    operator = signing_operator(world)
    return operator, collector_of(operator)


def _logged(world: World) -> list[Any]:
    with reading(world.engine) as connection:
        log = Author(world).log
        return logged_after(connection, log, after=0, most=1_000)


def test_events__signed_by_a_collector__are_an_entry_with_every_event(
    world: World, signing: tuple[Author, Author]
) -> None:
    """The entry has the body as it was sent, of whatever was rejected too, and its author."""
    _, collector = signing
    usage = world.ledger.usage(0, 0, HOUR_S, name="u1")
    other = {**usage, "data": {**usage["data"], "facility_id": 99}, "id": "u2"}
    unreadable = {"specversion": "1.0", "id": "u3"}

    answer = collector.send(usage, other, unreadable, usage)

    words = [r.get("code") or r["status"] for r in answer.json()["results"]]
    assert words == ["accepted", "facility_unknown", "malformed_event", "duplicate"]
    newest = _logged(world)[-1]
    assert newest.entry.author == collector.public
    assert json.loads(newest.body) == [usage, other, unreadable, usage]
    assert list(newest.answers) == [
        ACCEPTED, REJECTED["facility_unknown"], REJECTED["malformed_event"], DUPLICATE
    ]  # fmt: skip
    newest.require_whole()
    [receipt] = collector.receipts
    assert receipt.entry == newest.entry
    receipt.require_signed(only(raw_key(load_or_make_key(world.folder / "log-key.pem"))))
    receipt.require_of(newest.body)


def test_events__all_rejected__are_an_entry_all_the_same(
    world: World, signing: tuple[Author, Author]
) -> None:
    _, collector = signing
    size = len(_logged(world))

    assert collector.taken(world.ledger.usage(9, 0, HOUR_S)) == ["device_unknown"]

    assert len(_logged(world)) == size + 1


def test_events__packed_by_gzip__are_signed_as_they_were_sent(
    world: World, signing: tuple[Author, Author]
) -> None:
    _, collector = signing

    answer = collector.send(world.ledger.usage(0, 0, HOUR_S), packed=True)

    assert answer.status_code == 200
    newest = _logged(world)[-1]
    assert newest.body.startswith(b"\x1f\x8b")
    assert len(events_of(newest.body, newest.entry.author)) == 1
    newest.require_whole()


def test_events__sent_again__get_the_same_receipt_and_answers(
    world: World, signing: tuple[Author, Author]
) -> None:
    """Same key, after and body: the same receipt, however often."""
    _, collector = signing
    before = collector.after
    usage = world.ledger.usage(0, 0, HOUR_S), world.ledger.usage(9, 0, HOUR_S)
    body = json.dumps(usage).encode()
    first = collector.post("/v1/events", body)
    size = len(_logged(world))

    again = collector.post("/v1/events", body, after=before)

    assert again.status_code == 200
    assert again.json()["receipt"] == first.json()["receipt"]
    statuses = [[r["status"] for r in a.json()["results"]] for a in (first, again)]
    assert statuses == [["accepted", "rejected"]] * 2
    assert len(_logged(world)) == size


@pytest.mark.parametrize("of_ledger_key", [False, True])
def test_request__sent_again_once_its_month_is_detached__is_known(
    world: World, signing: tuple[Author, Author], of_ledger_key: bool
) -> None:
    """The receipt is kept beside the key; another body is refused, and without an error of ours."""
    author = signing[0 if of_ledger_key else 1]
    before = author.after
    body = json.dumps([world.ledger.usage(0, 0, HOUR_S)]).encode()
    first = author.post("/v1/events", body)
    with transaction(world.engine) as connection:
        connection.execute(log_entries.delete())

    again = author.post("/v1/events", body, after=before)
    other = author.post("/v1/events", b"[]", after=before)

    assert again.status_code == 200, again.text
    assert again.json()["receipt"] == first.json()["receipt"]
    assert other.status_code == 409
    assert other.json()["receipt"] == first.json()["receipt"]


def test_events__other_body_behind_the_same_receipt__get_the_one_that_is_missing(
    world: World, signing: tuple[Author, Author]
) -> None:
    _, collector = signing
    before = collector.after
    first = collector.send(world.ledger.usage(0, 0, HOUR_S))

    other = collector.post("/v1/events", b"[]", after=before)

    assert (other.status_code, other.json()["code"]) == (409, "after_wrong")
    assert other.json()["receipt"] == first.json()["receipt"]


@pytest.mark.parametrize("after", [ZERO32, Bytes32(b"\7" * 32)])
def test_events__behind_what_never_was__are_refused_with_the_last_receipt(
    world: World, signing: tuple[Author, Author], after: Bytes32
) -> None:
    operator, collector = signing

    answer = collector.post("/v1/events", b"[]", after=after)

    assert (answer.status_code, answer.json()["code"]) == (409, "after_wrong")
    assert receipt_from(answer.json()["receipt"]).entry == operator.receipts[-1].entry
    assert answer.json()["receipt"]["entry"][2:] != ""


def test_events__of_a_key_that_is_none_of_the_logs__are_refused_before_the_body(
    world: World, signing: tuple[Author, Author]
) -> None:
    answer = Author(world).send(world.ledger.usage(0, 0, HOUR_S))

    assert (answer.status_code, answer.json()["code"]) == (401, "key_unknown")


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("signature", "rentroll=:" + "A" * 86 + "==:"),
        ("content-type", "application/json"),
        ("rentroll-after", "00" * 32),
        ("signature", "nothing"),
        ("signature-input", "rentroll=()"),
        ("rentroll-log", "1:0x" + "ab" * 20 + ":1"),
        ("rentroll-log", "nothing"),
        ("content-digest", "sha-256=:AAAA:"),
    ],
)
def test_events__with_a_header_changed__are_401_and_never_unsigned(
    world: World, signing: tuple[Author, Author], header: str, value: str
) -> None:
    """With an API key beside it, too."""
    _, collector = signing
    body = json.dumps([world.ledger.usage(0, 0, HOUR_S)]).encode()
    headers = {**collector.headers("/v1/events", body), header: value}
    headers["authorization"] = f"Bearer {world.ledger.api_key}"
    size = len(_logged(world))

    answer = world.http.post("/v1/events", content=body, headers=headers)

    assert answer.status_code == 401, answer.text
    assert answer.json()["code"].startswith("signature_")
    assert len(_logged(world)) == size


def test_events__with_another_body__are_401(world: World, signing: tuple[Author, Author]) -> None:
    _, collector = signing
    headers = collector.headers("/v1/events", b"[]")
    body = json.dumps([world.ledger.usage(0, 0, HOUR_S)]).encode()

    answer = world.http.post("/v1/events", content=body, headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (401, "signature_malformed")


def test_events__signed_in_the_future__are_401(
    world: World, signing: tuple[Author, Author]
) -> None:
    _, collector = signing

    ahead = collector.post("/v1/events", b"[]", created_s=world.clock() + 121)

    assert ahead.status_code == 401
    assert "check the clock" in ahead.json()["detail"]
    assert collector.post("/v1/events", b"[]", created_s=world.clock() + 120).status_code == 200


def test_events__for_another_path__are_401(world: World, signing: tuple[Author, Author]) -> None:
    _, collector = signing

    answer = collector.post("/v1/events", b"[]", signed_path="/v1/log/keys")

    assert answer.status_code == 401


def test_events__about_money_by_a_collector__are_rejected(
    world: World, signing: tuple[Author, Author]
) -> None:
    """A key of machines agrees on no price; the ledger key does."""
    operator, collector = signing
    agreed = world.ledger.terms("lease-a", 2, 0, max_gpus=3)

    assert collector.taken(agreed) == ["key_forbidden"]
    assert operator.taken(agreed) == ["accepted"]


def test_key__ended__signs_nothing_more(world: World, signing: tuple[Author, Author]) -> None:
    """From the entry that ends it; what it signed before stays."""
    operator, collector = signing
    assert collector.taken(world.ledger.usage(0, 0, HOUR_S)) == ["accepted"]

    assert operator.end(collector).status_code == 200

    answer = collector.send(world.ledger.usage(1, 0, HOUR_S))
    assert (answer.status_code, answer.json()["code"]) == (401, "key_unknown")
    assert "was ended by entry" in answer.json()["detail"]
    again = operator.bring(collector)
    assert (again.status_code, again.json()["code"]) == (403, "key_forbidden")


def test_key__of_a_collector__names_none_and_ends_itself_alone(
    world: World, signing: tuple[Author, Author]
) -> None:
    operator, collector = signing
    other = collector_of(operator, name="rack-2")

    assert collector.bring(Author(world)).json()["code"] == "key_forbidden"
    assert collector.end(other).json()["code"] == "key_forbidden"
    assert collector.end(collector).status_code == 200


def test_ledger_key__that_the_address_does_not_name__brings_nothing(world: World) -> None:
    world.at(DAY_S)

    answer = Author(world).bring_itself()

    assert (answer.status_code, answer.json()["code"]) == (401, "key_unknown")
    assert "setLedgerKey" in answer.json()["detail"]


def test_ledger_key__not_final_on_chain__brings_nothing_yet(world: World) -> None:
    """What a reorganisation can take back is not written into a log for ever."""
    world.at(DAY_S)
    operator = Author(world)
    name_on_chain(world, operator.public)
    successor = Author(world)
    assert operator.bring_itself().status_code == 200
    snapshot = world.client.request("evm_snapshot")
    data = calldata.call("FacilityRegistry", "setLedgerKey", successor.public)
    send(world.client, world.operator, world.deployment.facility_registry, data)

    assert successor.bring_itself().json()["code"] == "key_unknown"
    assert operator.send().json()["code"] == "key_unknown"
    world.client.request("evm_revert", snapshot)


def test_ledger_key__replaced_on_chain__is_ended_by_its_successor(
    world: World, signing: tuple[Author, Author]
) -> None:
    """Collectors' keys go on."""
    operator, collector = signing
    successor = Author(world)
    name_on_chain(world, successor.public)

    assert operator.send().json()["code"] == "key_unknown"
    assert successor.bring_itself().status_code == 200

    assert operator.send().json()["code"] == "key_unknown"
    assert collector.taken(world.ledger.usage(0, 0, HOUR_S)) == ["accepted"]
    assert successor.end(collector).status_code == 200


def test_keys__listed__say_who_signed_last_and_when(
    world: World, signing: tuple[Author, Author]
) -> None:
    _, collector = signing
    collector.send(world.ledger.usage(0, 0, HOUR_S))
    path = f"/v1/facilities/{world.facility_id}/log/keys"
    headers = {"authorization": f"Bearer {world.ledger.api_key}"}

    said = world.http.get(path, headers=headers).json()

    assert [(k["role"], k["name"], k["ended"]) for k in said] == [
        ("ledger", "ledger", None),
        ("collector", "rack-1", None),
    ]
    newest = said[1]
    assert newest["after"] == entry_hash(collector.receipts[-1].entry).hex()
    assert newest["used_at_s"] == collector.receipts[-1].entry.recorded_at_s


def test_keys__without_a_signature_or_an_api_key__are_refused(world: World) -> None:
    bearer = {"authorization": f"Bearer {world.ledger.api_key}"}

    unsigned = world.http.post("/v1/log/keys", content=b"{}", headers=bearer)
    author = Author(world)
    headers = author.headers("/v1/log/keys", b"{}")
    keyless = world.http.post("/v1/log/keys", content=b"{}", headers=headers)

    assert (unsigned.status_code, keyless.status_code) == (401, 401)


def test_statement__of_signed_entries__is_attested_posted_and_verified(
    world: World, signing: tuple[Author, Author], tmp_path: Path
) -> None:
    """Signed and unsigned requests, corrections, a key that ends, events that are rejected."""
    operator, collector = signing
    ledger = world.ledger
    usage = ledger.usage(0, 0, HOUR_S, name="u1")
    assert collector.taken(usage, ledger.usage(0, 0, HOUR_S)) == ["accepted", "overlap"]
    ledger.ingest(ledger.usage(1, 0, HOUR_S))
    assert collector.taken(usage, ledger.void(usage)) == ["duplicate", "accepted"]
    assert operator.taken(ledger.terms("lease-a", 2, HOUR_S, max_gpus=3)) == ["accepted"]
    assert operator.end(collector).status_code == 200
    world.post(0)

    report = world.verify()

    assert report.ok, report.findings
    with reading(world.engine) as connection:
        terms = terms_from_bytes(facility_row(connection, world.facility_id).terms_json)
    assert terms.log_key == raw_key(load_or_make_key(world.folder / "log-key.pem"))
