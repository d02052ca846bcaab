"""Bills over HTTP: from statements on a real chain to numbered documents, notes, what is open."""

import csv
import io
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.exc import IntegrityError
from typer.testing import CliRunner

from api.access.accounts import add_operator
from api.chain import calldata
from api.cli.commands import app
from api.db import bills as store
from api.db.leases import known_lease_named
from api.db.session import reading, transaction
from api.db.tables.bills import BillRow, NewBill, bills
from api.db.tables.statements import statement_lines
from api.domain.hashing import sha256
from api.domain.merkle import verify_proof
from api.domain.metering.instants import format_instant
from api.domain.statements.evidence import hex32
from api.domain.statements.statement import statement_digest
from api.domain.units import ZERO32, Epoch, FacilityId, Minor, OperatorId
from api.errors import RecordsDamaged
from api.ledger.billing import ChainTerms
from api.ledger.bills import Wanted, issue_bills, stored_document
from api.routes.operator.console.bills import chain_terms
from api.routes.service import service_of
from scripts.dev.stack import ATTESTER_ACCOUNTS, CHALLENGE_WINDOW_S, RENTER
from tests.endings import default_and_close
from tests.factories import DAY_S, HOUR_S, START_S, Ledger, device
from tests.integration.service import Service, problem
from tests.world import World, send, signer_of, wallet

USD = 1_000_000
JANUARY = 2026 * 12
# What an operator could call a lease, and a renter, to do harm to whoever opens the bill.
EVIL, FORMULA = "<script>alert(1)</script>", '=HYPERLINK("http://x","y")'


def _call(world: World, method: str, path: str = "", **more: Any) -> Any:
    url = f"/v1/console/facilities/{world.facility_id}/bills{path}"
    headers = {"Authorization": f"Bearer {world.ledger.api_key}"}
    return world.http.request(method, url, headers=headers, **more)


def _issue(world: World, **body: Any) -> list[dict[str, Any]]:
    answer = _call(world, "POST", json=body)
    issued: list[dict[str, Any]] = answer.json()["issued"]
    assert answer.status_code == (201 if issued else 200), answer.text
    return issued


def _lease(world: World, name: str) -> bytes:
    with reading(world.engine) as connection:
        return known_lease_named(connection, world.facility_id, name).lease


def _pay(world: World, name: str, amount: int) -> None:
    pay = calldata.call("RentLockbox", "payRent", world.facility_id, _lease(world, name), amount)
    send(world.client, wallet(RENTER).address, world.deployment.rent_lockbox, pay)
    world.round()


def _months(world: World) -> dict[str, tuple[str, int, int, int, int]]:
    """State, stated, billed, paid and open by lease."""
    shown = _call(world, "GET").json()
    return {
        m["lease_id"]: (
            m["state"], m["stated_micros"], m["billed_micros"], m["paid_micros"], m["open_micros"],
        )
        for m in shown["months"]
    }  # fmt: skip


def _sums_meet(world: World, *, final: int) -> None:
    """Documents of each lease sum to what statements up to the final one stated of it."""
    with reading(world.engine) as connection:
        line, bill = statement_lines.c, bills.c
        stated = connection.execute(
            select(line.lease, func.sum(line.charge_micros))
            .where(line.epoch <= final)
            .group_by(line.lease)
        )
        billed = connection.execute(select(bill.lease, func.sum(bill.amount)).group_by(bill.lease))
        assert {row[0]: int(row[1]) for row in stated if row[1]} == {
            row[0]: int(row[1]) for row in billed if row[1]
        }
        numbers = connection.execute(select(bill.number).order_by(bill.number)).scalars().all()
    assert numbers == [*range(1, len(numbers) + 1)]


def _three_days(world: World) -> dict[str, Any]:
    """2 hours of lease-a at 1 dollar, an hour of the evil one at 2; lease-b owes 3 + 4 unused.

    Returns the event of the evil hour.
    """
    ledger = world.ledger
    terms = ledger.terms(EVIL, 1, 0, prices=[{"from": format_instant(START_S), "price": 2 * USD}])
    terms["data"]["renter_ref"] = FORMULA
    hour = ledger.usage(1, 0, HOUR_S, lease=EVIL)
    item = {"id": "set-up", "at": format_instant(START_S), "amount": 4 * USD}
    setup = ledger.terms("lease-b", 2, 0, fixed=[item])
    world.at(DAY_S)
    codes = ledger.codes(
        terms, setup, ledger.adjustment("lease-b", 3 * USD), ledger.usage(0, 0, 2 * HOUR_S), hour
    )
    assert codes == ["accepted"] * 5
    for epoch in range(3):
        world.post(epoch)
    return hour


@pytest.mark.chain
@pytest.mark.both_databases
def test_bills__issued_twice_and_facts_come_late__number_on_by_notes(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """January is stated with day 2. Late: 2 hours more of lease-a; the evil hour was none."""
    hour = _three_days(world)
    # Posted, not final: what could still be challenged is no demand.
    assert _months(world) == {
        EVIL: ("draft", 2 * USD, 0, 0, 0),
        "lease-a": ("draft", 2 * USD, 0, 0, 0),
        "lease-b": ("draft", 7 * USD, 0, 0, 0),
    }
    assert _issue(world) == []
    drafted = _call(world, "GET", "/draft", params={"month": "2026-01", "lease_id": "lease-a"})
    assert drafted.json()["document"]["kind"] == "draft"
    assert drafted.json()["document"]["number"] is None
    page = _call(world, "GET", "/draft.html", params={"month": "2026-01", "lease_id": EVIL})
    assert "is no demand" in page.text
    assert "<script" not in page.text
    # Told after the last statement of the month: the closing one takes it.
    late = world.ledger.usage(2, 2 * DAY_S, 2 * DAY_S + 2 * HOUR_S)
    assert world.ledger.codes(late, world.ledger.void(hour)) == ["accepted"] * 2

    world.at_finality(2)
    world.round()
    assert {m[0] for m in _months(world).values()} == {"ready"}
    first = _issue(world, month="2026-01", due_days=30)

    assert [(d["number"], d["kind"], d["amount_micros"]) for d in first] == [
        (1, "bill", 2 * USD),
        (2, "bill", 2 * USD),
        (3, "bill", 7 * USD),
    ]
    assert all(d["due_at_s"] - d["issued_at_s"] == 30 * DAY_S for d in first)
    assert _issue(world, month="2026-01") == []
    _sums_meet(world, final=2)
    _files_hold(world)
    _pay(world, "lease-a", 5 * USD)
    assert _months(world)["lease-a"] == ("issued", 2 * USD, 2 * USD, 2 * USD, 0)

    world.post_closing()
    states = {lease: month[0] for lease, month in _months(world).items()}
    assert states == {EVIL: "note_ready", "lease-a": "note_ready", "lease-b": "issued"}
    third = _call(world, "GET", "/3").json()["document"]
    assert [(x["kind"], x["about"], x["charge_micros"]) for x in third["lines"]] == [
        ("fixed_difference", "set-up", 4 * USD),
        ("adjustment_difference", "a test", 3 * USD),
    ]
    note = _call(world, "GET", "/draft", params={"month": "2026-01", "lease_id": EVIL})
    assert note.json()["document"]["amount_micros"] == -2 * USD
    run = _command_line(world, tmp_path, monkeypatch)
    assert run("issue", str(world.facility_id)).splitlines() == [
        "000004 credit note of 000001 2026-01: -2,000,000",
        "000005 debit note of 000002 2026-01: 2,000,000",
        "2 documents issued",
    ]
    assert _issue(world) == []

    documents = _call(world, "GET").json()["documents"][3:]
    assert [(n["number"], n["kind"], n["corrects"], n["amount_micros"]) for n in documents] == [
        (4, "credit_note", 1, -2 * USD),
        (5, "debit_note", 2, 2 * USD),
    ]
    _sums_meet(world, final=3)
    assert _months(world) == {
        EVIL: ("issued", 0, 0, 0, 0),
        "lease-a": ("issued", 4 * USD, 4 * USD, 4 * USD, 0),
        "lease-b": ("issued", 7 * USD, 7 * USD, 0, 7 * USD),
    }
    balances = {b["lease_id"]: b for b in _call(world, "GET").json()["leases"]}
    assert balances["lease-a"]["prepaid_left_micros"] == USD
    note = _call(world, "GET", "/4").json()["document"]
    (closing,) = note["statements"]
    assert (closing["statement"], closing["closing"]) == (3, True)
    assert [m["fact"] for m in closing["moved_by"]] == ["void"]
    assert [(x["kind"], x["charge_micros"]) for x in note["lines"]] == [
        ("void", 0),
        ("usage_difference", -2 * USD),
    ]
    assert note["explained"]["used_gpu_seconds"] == 0
    _commands_agree(world, run, tmp_path)
    # What was issued is as it was, byte for byte.
    assert _call(world, "GET").json()["documents"][0]["document_hash"] == first[0]["document_hash"]


def _command_line(
    world: World, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., str]:
    """Runs `rentroll bills` on the same database and chain."""
    monkeypatch.chdir(folder)
    settings = world.settings()
    for name in ("database_url", "rpc_url", "deployment_file", "clock"):
        prefix = "" if name == "database_url" else "RENTROLL_"
        monkeypatch.setenv(prefix + name.upper(), str(getattr(settings, name)))

    def run(*arguments: str, code: int = 0) -> str:
        result = CliRunner().invoke(app, ["bills", *arguments])
        assert result.exit_code == code, result.output
        return result.output

    return run


def _commands_agree(world: World, run: Callable[..., str], folder: Path) -> None:
    """The command line lists and saves the same."""
    facility = str(world.facility_id)
    assert json.loads(run("list", facility, "--json")) == _call(world, "GET").json()
    assert "lease-a: prepaid 1,000,000 and credit 0 are left" in run("list", facility)
    assert run("issue", facility, "--month", "2026-01") == "0 documents issued\n"
    run("save", facility, "2", "two.json")
    assert (folder / "two.json").read_bytes() == _call(world, "GET", "/2.json").content
    run("save", facility, "2", "two.exe", code=2)
    run("issue", facility, "--month", "2026-13", code=2)
    run("list", "999", code=1)


def _files_hold(world: World) -> None:
    """Every form of the first bill, whose lease and renter mean harm."""
    shown = _call(world, "GET", "/1").json()
    document = shown["document"]
    assert (document["lease"]["lease_id"], document["token"]["symbol"]) == (EVIL, "mUSD")
    assert document["explained"]["priced"][0]["price"] == 2 * USD
    raw = _call(world, "GET", "/1.json")
    assert hex32(sha256(raw.content)) == shown["document_hash"]
    assert raw.json() == document

    page = _call(world, "GET", "/1.html")
    assert "<script" not in page.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page.text
    assert "2.000000 mUSD" in page.text
    assert "script-src" not in page.headers["content-security-policy"]
    assert page.headers["content-security-policy"].startswith("default-src 'none'; style-src 'sha")

    table = _call(world, "GET", "/1.csv")
    rows = list(csv.DictReader(io.StringIO(table.text)))
    assert [row["renter_ref"] for row in rows] == ["'" + FORMULA]
    assert sum(int(row["charge_micros"]) for row in rows) == document["amount_micros"]
    proof = world.http.get(rows[0]["proof"].removeprefix("http://testserver")).json()
    leaf, root = (bytes.fromhex(proof[name][2:]) for name in ("leaf", "root"))
    assert verify_proof([bytes.fromhex(h[2:]) for h in proof["proof"]], root=root, leaf=leaf)
    assert proof["line"]["charge_micros"] == int(rows[0]["charge_micros"])
    assert hex32(world.statement(int(rows[0]["statement"])).usage_root) == proof["root"]

    paper = _call(world, "GET", "/1.pdf")
    assert paper.headers["content-type"] == "application/pdf"
    assert paper.headers["content-disposition"].endswith('2026-01-000001.pdf"')
    assert paper.content.startswith(b"%PDF-")
    assert paper.content == _call(world, "GET", "/1.pdf").content


@pytest.mark.chain
@pytest.mark.both_databases
def test_issue__two_workers_at_once__numbers_have_no_gap_and_no_twin(world: World) -> None:
    _three_days(world)
    world.at_finality(2)
    world.round()
    chain = ChainTerms(CHALLENGE_WINDOW_S, "mUSD", 6, None)

    def issue(_: int) -> int:
        issued = issue_bills(
            world.engine, world.ledger.operator_id, world.facility_id, Wanted(), chain=chain,
            due_days=14, now_s=START_S,
        )  # fmt: skip
        return len(issued)

    with ThreadPoolExecutor(4) as threads:
        counts = list(threads.map(issue, range(8)))

    assert sum(counts) == 3
    _sums_meet(world, final=2)


@pytest.mark.chain
def test_bill__bytes_changed_in_the_database__is_served_no_more(world: World) -> None:
    _three_days(world)
    world.at_finality(2)
    world.round()
    _issue(world, lease_id="lease-a")
    with transaction(world.engine) as connection:
        document = connection.execute(select(bills.c.document)).scalar_one()
        cheaper = bytes(document).replace(b"2000000", b"1000000")
        connection.execute(bills.update().values(document=cheaper))

    with reading(world.engine) as connection, pytest.raises(RecordsDamaged):
        stored_document(connection, world.facility_id, 1)
    assert _call(world, "GET", "/1.pdf").status_code == 500


@pytest.mark.chain
def test_bills__other_bytes_stand_on_chain__nothing_of_the_books_is_billed(world: World) -> None:
    """Two attesters sign a dollar too much and post it: neither that nor the books' is a bill."""
    world.at(DAY_S)
    world.ledger.ingest(world.ledger.usage(0, 0, HOUR_S))
    world.at_cut_off(0)
    world.round()
    assert _months(world) == {}
    false = replace(world.statement(0), gross_revenue_micros=2 * USD)
    registry = world.deployment.statement_registry
    digest = statement_digest(false, chain_id=world.deployment.chain_id, registry=registry)
    signers = [signer_of(i) for i in ATTESTER_ACCOUNTS[:2]]
    signatures = {s.address: s.sign_digest(digest) for s in signers}

    send(world.client, wallet(RENTER).address, registry, calldata.post(false, signatures))
    world.round()

    assert _months(world) == {}
    assert _issue(world) == []
    params = {"month": "2026-01", "lease_id": "lease-a"}
    problem(_call(world, "GET", "/draft", params=params), 404, "not_found")
    # Nor does a facility that is paid in another token get this one's name on its bills.
    service = service_of(world.app)
    own = chain_terms(service, world.deployment.settlement_token.lower())
    other = chain_terms(service, world.deployment.rent_lockbox)
    assert ((own.symbol, own.decimals), (other.symbol, other.decimals)) == (
        ("mUSD", 6),
        (None, None),
    )


@pytest.mark.chain
def test_bills__facility_whose_operator_left__bills_what_was_stated_once_it_is_closed(
    world: World,
) -> None:
    """One of three days is stated; the month never will be."""
    world.at(DAY_S)
    world.ledger.ingest(world.ledger.usage(0, 0, 2 * HOUR_S))
    world.post(0)
    world.at_finality(0)
    world.round()
    assert _months(world) == {"lease-a": ("draft", 2 * USD, 0, 0, 0)}
    assert _issue(world) == []

    default_and_close(world)
    issued = _issue(world)

    assert [(d["number"], d["kind"], d["amount_micros"]) for d in issued] == [(1, "bill", 2 * USD)]
    document = _call(world, "GET", "/1").json()["document"]
    assert document["explained"]["billed_gpu_seconds"] == 2 * HOUR_S
    assert _issue(world) == []
    _sums_meet(world, final=0)


@pytest.mark.both_databases
def test_numbers__of_two_operators__are_their_own_and_have_no_twin(
    engine: Engine, tmp_path: Path
) -> None:
    ledgers = [
        Ledger(engine, tmp_path),
        Ledger(engine, tmp_path, name="op2", device_uuids=[device(9)]),
    ]

    def issue(ledger: Ledger, number: int, sequence: int) -> None:
        row = BillRow(
            OperatorId(ledger.operator_id), number, FacilityId(ledger.facility_id), ZERO32,
            JANUARY, sequence, "bill", Minor(5), Epoch(2), None, START_S, None, ZERO32,
        )  # fmt: skip
        with transaction(engine) as connection:
            store.insert_bill(connection, NewBill(**asdict(row), document=b"{}"))

    for ledger in ledgers:
        issue(ledger, 1, 0)
    issue(ledgers[0], 2, 1)
    for number, sequence in ((2, 2), (3, 1)):
        with pytest.raises(IntegrityError):
            issue(ledgers[0], number, sequence)

    with reading(engine) as connection:
        last = [store.last_document(connection, ledger.operator_id)[0] for ledger in ledgers]
    assert last == [2, 1]


def test_bills__of_another_operator__are_as_if_absent(service: Service) -> None:
    with transaction(service.ledger.engine) as connection:
        _, rival = add_operator(
            connection, actor="test", name="rival", address="0x" + "d" * 40, now_s=START_S
        )
    own = f"/v1/console/facilities/{service.ledger.facility_id}/bills"
    draft = "/draft?month=2026-01&lease_id=lease-a"
    calls = [("GET", ""), ("GET", "/1"), ("GET", "/1.pdf"), ("GET", draft), ("POST", "")]

    for method, path in calls:
        body = {"json": {}} if method == "POST" else {}
        headers = service.auth(rival)
        foreign = service.client.request(method, own + path, headers=headers, **body)
        other = own.replace(f"/{service.ledger.facility_id}/", "/999/")
        absent = service.client.request(method, other + path, headers=headers, **body)
        problem(foreign, 404, "not_found")
        assert foreign.text.replace(str(service.ledger.facility_id), "#") == absent.text.replace(
            "999", "#"
        )
        problem(service.client.request(method, own + path, **body), 401, "unauthorized")


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/draft?month=2026-13&lease_id=x", "query.month"),
        ("/0", "path.number"),
        ("/1.exe", "path.suffix"),
    ],
)
def test_bills__bad_request__names_what_is_wrong(service: Service, path: str, field: str) -> None:
    own = f"/v1/console/facilities/{service.ledger.facility_id}/bills"

    answer = service.client.get(own + path, headers=service.auth())

    assert problem(answer, 422, "invalid_input")["field"] == field


def test_issue__unknown_lease_or_field__is_refused(service: Service) -> None:
    own = f"/v1/console/facilities/{service.ledger.facility_id}/bills"

    for body, status, code in (
        ({"lease_id": "nobody"}, 404, "not_found"),
        ({"month": "2026-1"}, 422, "invalid_input"),
        ({"due": 3}, 422, "invalid_input"),
    ):
        answer = service.client.post(own, json=body, headers=service.auth())
        problem(answer, status, code)
    assert service.client.post(own, json={}, headers=service.auth()).json() == {"issued": []}
