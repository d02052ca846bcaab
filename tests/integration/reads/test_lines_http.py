"""Lines and proofs over HTTP: what a browser needs to check them without asking anything else."""

from typing import Any

import pytest
from sqlalchemy import event, update
from sqlalchemy.schema import CreateIndex

from api.db import statements as store
from api.db.session import reading, transaction
from api.db.tables.statements import statement_lines, statement_trees
from api.db.trees import PART
from api.domain.hashing import word
from api.domain.merkle import MerkleTree, leaf_hash, verify_proof
from api.domain.statements.lines import usage_tree
from api.domain.units import Epoch, FacilityId
from api.epochs.close import close_due
from api.reads.sql.restated import restated_by
from tests.factories import DAY_S, GRACE_S, HOUR_S, START_S
from tests.integration.service import Service, problem

pytestmark = pytest.mark.both_databases

_KINDS = ("usage", "delivery", "late", "late_delivery", "void")


@pytest.fixture
def closed(service: Service) -> Service:
    """Two closed epochs; the second has usage, a late line and a void."""
    ledger = service.ledger
    wrong = ledger.usage(0, 0, HOUR_S)
    ledger.codes(wrong, ledger.usage(1, 0, 2 * HOUR_S))
    for day in (1, 2):
        ledger.clock.now_s = START_S + day * DAY_S + GRACE_S
        if day == 2:
            ledger.clock.now_s -= HOUR_S
            late = ledger.usage(2, 0, HOUR_S)
            ledger.codes(late, ledger.void(wrong), ledger.usage(0, DAY_S, DAY_S + HOUR_S))
            ledger.clock.now_s += HOUR_S
        close_due(ledger.engine, ledger.evidence, ledger.clock.now_s)
    return service


def test_lines__of_several_kinds__are_counted_in_their_order(closed: Service) -> None:
    folder = f"/v1/facilities/{closed.ledger.facility_id}/epochs"

    found = closed.client.get(f"{folder}/1/lines", params={"limit": 1}).json()
    everything = closed.client.get(f"{folder}/1/lines").json()["lines"]

    assert found["kinds"] == {"usage": 1, "late": 1, "void": 1}
    assert list(found["kinds"]) == [line["kind"] for line in everything]
    assert closed.client.get(f"{folder}/0/lines").json()["kinds"] == {"usage": 2}


def test_proof__alone__holds_all_that_its_leaf_and_root_are_made_of(closed: Service) -> None:
    folder = f"/v1/facilities/{closed.ledger.facility_id}/epochs/1"
    root = closed.client.get(folder).json()["usage_root"]

    for index in range(3):
        proof = closed.client.get(f"{folder}/lines/{index}/proof").json()
        line = proof["line"]
        words = [word(proof["facility_id"]), word(proof["epoch"]), word(line["index"])]
        words += [word(_KINDS.index(line["kind"]))]
        words += [bytes.fromhex(line[name][2:]) for name in ("subject", "lease")]
        words += [word(line[name]) for name in ("start_s", "end_s", "gpu_seconds")]
        words += [word(line["charge_micros"]), word(line["cumulative_gpu_seconds"])]
        leaf = leaf_hash(b"".join((*words, word(line["cumulative_charge_micros"]))))
        nodes = [bytes.fromhex(node[2:]) for node in proof["proof"]]
        assert proof["leaf"] == "0x" + leaf.hex()
        assert verify_proof(nodes, root=bytes.fromhex(root[2:]), leaf=leaf)


@pytest.fixture
def long(service: Service) -> Service:
    """A closed epoch with more lines than a part of a stored tree holds."""
    ledger = service.ledger
    for gpu in range(4):
        minutes = range(0, PART // 2 * 60, 60)
        # With a second between them: what follows at once is one line.
        ledger.ingest(*(ledger.usage(gpu, at_s, at_s + 59) for at_s in minutes))
    ledger.clock.now_s = START_S + DAY_S + GRACE_S
    close_due(ledger.engine, ledger.evidence, ledger.clock.now_s)
    return service


def test_proof__of_many_lines__is_the_trees_and_builds_none(
    long: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    facility_id = long.ledger.facility_id
    with reading(long.ledger.engine) as connection:
        lines = store.lines_of(connection, facility_id, 0)
    tree = usage_tree(FacilityId(facility_id), Epoch(0), lines)
    assert len(lines) == 2 * PART

    def refuse(*_: Any) -> None:
        raise AssertionError("a request built a tree")

    monkeypatch.setattr(MerkleTree, "__init__", refuse)
    for index in (0, 1, PART - 1, PART, len(lines) - 1):
        shown = long.client.get(f"/v1/facilities/{facility_id}/epochs/0/lines/{index}/proof")
        assert shown.json()["line"]["index"] == index
        assert shown.json()["proof"] == ["0x" + node.hex() for node in tree.proof(index)]


def test_proof__beyond_the_last_line__is_not_found(long: Service) -> None:
    folder = f"/v1/facilities/{long.ledger.facility_id}/epochs/0/lines"

    for index in (2 * PART, 2**32 - 1):
        answer = long.client.get(f"{folder}/{index}/proof")
        assert problem(answer, 404, "not_found")["index"] == index


@pytest.mark.parametrize("column", ["nodes", "leaf_places"])
def test_proof__of_a_damaged_tree__is_not_served(long: Service, column: str) -> None:
    folder = f"/v1/facilities/{long.ledger.facility_id}/epochs/0/lines"
    change = update(statement_trees).where(statement_trees.c.part == 0)
    with transaction(long.ledger.engine) as connection:
        connection.execute(change.values({column: b"\7" * 32}))

    for index in (0, PART - 1):
        problem(long.client.get(f"{folder}/{index}/proof"), 500, "records_damaged")


def test_lines__page_in_the_middle__starts_at_its_offset(long: Service) -> None:
    folder = f"/v1/facilities/{long.ledger.facility_id}/epochs/0/lines"

    page = long.client.get(folder, params={"offset": PART - 1, "limit": 3}).json()

    assert [line["index"] for line in page["lines"]] == [PART - 1, PART, PART + 1]
    assert page["line_count"] == 2 * PART


def test_restated__of_an_epoch_that_later_statements_put_right__says_what_and_where(
    closed: Service,
) -> None:
    """The second statement took back an hour of the first day, and one came late."""
    path = f"/v1/facilities/{closed.ledger.facility_id}/epochs"

    assert closed.client.get(f"{path}/0/restated").json() == [
        {
            "epoch": 1,
            "closing": False,
            "late_seconds": HOUR_S,
            "late_delivery_seconds": 0,
            "void_seconds": HOUR_S,
            "rent_micros": 0,
        }
    ]
    assert closed.client.get(f"{path}/1/restated").json() == []
    problem(closed.client.get(f"{path}/2/restated"), 404, "not_found")


def test_restated__after_a_price_of_the_past__says_what_the_month_gives_back(
    closed: Service,
) -> None:
    ledger = closed.ledger
    price = [{"from": "2026-01-01T00:00:00Z", "price": 400_000}]
    ledger.clock.now_s = START_S + 3 * DAY_S
    told = ledger.terms("lease-a", 2, 0, prices=price)
    used = ledger.usage(0, 2 * DAY_S, 2 * DAY_S + 10 * HOUR_S)
    assert ledger.codes(told, used) == ["accepted"] * 2
    ledger.clock.now_s += GRACE_S
    close_due(ledger.engine, ledger.evidence, ledger.clock.now_s)

    shown = closed.client.get(f"/v1/facilities/{ledger.facility_id}/epochs/1/restated").json()

    # Four hours were stated at 1, and are 0.40 each.
    assert [(s["epoch"], s["late_seconds"], s["rent_micros"]) for s in shown] == [
        (2, 0, -4 * 600_000)
    ]


def test_restated__is_asked_by_the_index_of_few_lines(closed: Service) -> None:
    engine, asked = closed.ledger.engine, []

    def note(*args: Any) -> None:
        asked.append(args[2])

    event.listen(engine, "before_cursor_execute", note)
    with reading(engine) as connection:
        which = FacilityId(closed.ledger.facility_id), Epoch(0)
        restated_by(connection, *which, start_s=START_S, end_s=START_S + 1, month_start_s=START_S)

    # Kinds are written out, as the condition of the index has them.
    [index] = [i for i in statement_lines.indexes if str(i.name).endswith("earlier")]
    assert "kind IN (2, 3, 4, 5)" in asked[-1]
    assert "kind IN (2, 3, 4, 5)" in str(CreateIndex(index).compile(engine))
