"""Bills beside chain and database: numbers without a gap or twin, and only what stands."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.exc import IntegrityError

from api.chain import calldata
from api.db import bills as store
from api.db.session import reading, transaction
from api.db.tables.bills import BillRow, NewBill, bills
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
from tests.integration.reads.billing import (
    USD,
    ask,
    issue_by_console,
    months_of,
    play_three_days,
    require_sums_meet,
)
from tests.integration.service import problem
from tests.world import World, send, signer_of, wallet

JANUARY = 2026 * 12


@pytest.mark.chain
@pytest.mark.both_databases
def test_issue__two_workers_at_once__numbers_have_no_gap_and_no_twin(world: World) -> None:
    play_three_days(world)
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
    require_sums_meet(world, final=2)


@pytest.mark.chain
def test_bill__bytes_changed_in_the_database__is_served_no_more(world: World) -> None:
    play_three_days(world)
    world.at_finality(2)
    world.round()
    issue_by_console(world, lease_id="lease-a")
    with transaction(world.engine) as connection:
        document = connection.execute(select(bills.c.document)).scalar_one()
        cheaper = bytes(document).replace(b"2000000", b"1000000")
        connection.execute(bills.update().values(document=cheaper))

    with reading(world.engine) as connection, pytest.raises(RecordsDamaged):
        stored_document(connection, world.facility_id, 1)
    assert ask(world, "GET", "/1.pdf").status_code == 500


@pytest.mark.chain
def test_bills__other_bytes_stand_on_chain__nothing_of_the_books_is_billed(world: World) -> None:
    """Two attesters sign a dollar too much and post it: neither that nor the books' is a bill."""
    world.at(DAY_S)
    world.ledger.ingest(world.ledger.usage(0, 0, HOUR_S))
    world.at_cut_off(0)
    world.round()
    assert months_of(world) == {}
    false = replace(world.statement(0), gross_revenue_micros=2 * USD)
    registry = world.deployment.statement_registry
    digest = statement_digest(false, chain_id=world.deployment.chain_id, registry=registry)
    signers = [signer_of(i) for i in ATTESTER_ACCOUNTS[:2]]
    signatures = {s.address: s.sign_digest(digest) for s in signers}

    send(world.client, wallet(RENTER).address, registry, calldata.post(false, signatures))
    world.round()

    assert months_of(world) == {}
    assert issue_by_console(world) == []
    params = {"month": "2026-01", "lease_id": "lease-a"}
    problem(ask(world, "GET", "/draft", params=params), 404, "not_found")
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
    assert months_of(world) == {"lease-a": ("draft", 2 * USD, 0, 0, 0)}
    assert issue_by_console(world) == []

    default_and_close(world)
    issued = issue_by_console(world)

    assert [(d["number"], d["kind"], d["amount_micros"]) for d in issued] == [(1, "bill", 2 * USD)]
    document = ask(world, "GET", "/1").json()["document"]
    assert document["explained"]["billed_gpu_seconds"] == 2 * HOUR_S
    assert issue_by_console(world) == []
    require_sums_meet(world, final=0)


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
