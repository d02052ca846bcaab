"""A statement of our own books that is provably wrong, on real processes.

Ingest refuses to hold a device twice, and close and attesters bill what is held once, so that no
sequence of requests leads there. What does is a bug that both share: for one epoch, this process
plays worker and attesters that let a use begin too early. API, chain, and everything that follows
are as they always are.
"""

import os
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from api.attester.settings import read_settings
from api.attester.wiring import open_attester
from api.chain.abi import Function
from api.chain.signatures import LINE, STATEMENT
from api.cli.wiring import open_worker
from api.db import statements as store
from api.db.facilities import facility_row
from api.db.session import open_engine, reading
from api.domain.merkle import MerkleTree
from api.domain.metering import timeline
from api.domain.metering.events import CORRECTION, USAGE
from api.domain.metering.instants import format_instant
from api.domain.metering.timeline import Use
from api.domain.statements import closing
from api.domain.statements.lines import Line, usage_tree
from api.ledger.ingest import ingest
from api.settings import Settings
from scripts.demo.sources import Facility
from scripts.dev.stack import ATTESTER_ACCOUNTS, RELAYER, RENTER, Stack, wallet
from tests.browser.stage import EPOCH_S, GRACE_S, Stage

_PAIR = Function("challengePair", (STATEMENT, f"({LINE},bytes32[])", f"({LINE},bytes32[])"))
_TWICE = "billed-twice"


def usage(stage: Stage, facility: Facility, name: str, first_s: int, last_s: int) -> Any:
    """Usage of the facility's first device, seconds from the start of its window."""
    start_s, body = stage.window_start_s(facility), facility.plan.facility
    data = {
        "facility_id": facility.facility_id,
        "device": body["devices"][0],
        "lease": facility.plan.leases[0]["lease_id"],
        "gpu_class": body["gpu_class"],
        "start": format_instant(start_s + first_s),
        "end": format_instant(start_s + last_s),
        "gpu_seconds": last_s - first_s,
    }
    return _event(facility, name, USAGE, data)


def correction(facility: Facility) -> Any:
    """What takes the wrong record back."""
    corrects = {"source": "collector/tests", "id": f"{facility.name}-{_TWICE}"}
    data = {"facility_id": facility.facility_id, "corrects": corrects, "action": "void"}
    return _event(facility, "correction", CORRECTION, data)


def _event(facility: Facility, name: str, kind: str, data: Any) -> Any:
    identity = {"id": f"{facility.name}-{name}", "source": "collector/tests"}
    return {"specversion": "1.0", "type": kind, **identity, "data": data}


def post_wrong_statement(stage: Stage, facility: Facility) -> None:
    """Epoch 0 with a third of an hour billed twice, closed, signed and posted."""
    stack = stage.stack
    stack.kill_worker()
    stage.stack.chain.set_time(stage.window_start_s(facility) + EPOCH_S + 5)
    relayer = _settings(stack, relayer_key_file=stack.key_file("relayer", RELAYER))
    with pytest.MonkeyPatch.context() as bug, open_worker(relayer) as running:
        bug.setattr(timeline, "_merged", _begin_early(stage.window_start_s(facility) + 2_400))
        # A closing refuses to bill a device twice: the bug has lost that check too.
        bug.setattr(closing, "check_overlaps", lambda lines: None)
        _ingest_two(stage, facility)
        stage.stack.chain.set_time(stage.window_start_s(facility) + EPOCH_S + GRACE_S + 5)
        running.worker.run_once()
        for number, index in enumerate(ATTESTER_ACCOUNTS[:2]):
            key = stack.attester_key(f"bug-{number}", index)
            file = stack.attester_file(f"bug-{number}", index, api_key=key)
            with open_attester(read_settings(file)) as running_attester:
                running_attester.attester.run_once()

        def posted() -> bool:
            running.worker.run_once()
            return _posted(stage, facility) == 1

        stack.wait("the wrong statement on-chain", posted)
    stack.start_worker()


def prove_fault(stage: Stage, facility: Facility) -> None:
    """Anybody shows the two lines that bill one device at once; the statement is void."""
    with reading(open_engine(_database(stage.stack))) as connection:
        row = store.statement_row(connection, facility.facility_id, 0)
        statement = store.to_statement(row)
        lines = store.lines_of(connection, facility.facility_id, 0)
    tree = usage_tree(facility.facility_id, 0, lines)
    first = next(i for i, line in enumerate(lines[:-1]) if lines[i + 1].start_s < line.end_s)
    pair = (_proven(facility, lines, tree, first), _proven(facility, lines, tree, first + 1))
    data = "0x" + _PAIR.encode(statement.as_abi_tuple(), *pair).hex()
    registry = stage.stack.deployment.statement_registry
    stage.stack.send(wallet(RENTER).address, registry, data)
    assert _posted(stage, facility) == 0
    _refill(stage)


def _refill(stage: Stage) -> None:
    """Attesters that were slashed sign again once their bonds are the least ones again."""
    registry = stage.stack.contracts.attester_registry
    minimum = stage.stack.now(registry.minimum_bond_micros())
    for account in (wallet(i).address for i in ATTESTER_ACCOUNTS[:2]):
        missing = minimum - stage.stack.now(registry.bond_micros(account))
        stage.story.market.fill(account, registry.address, missing)
        stage.call(account, "AttesterRegistry", "depositBond", account, missing)


def _posted(stage: Stage, facility: Facility) -> int:
    registry = stage.stack.contracts.statement_registry
    return stage.stack.now(registry.epochs_posted(facility.facility_id))


def _begin_early(start_s: int) -> Any:
    """How uses of a device follow each other, but for one that begins a third of an hour early."""
    right = timeline._merged

    def merged(found: Iterable[Use]) -> tuple[Use, ...]:
        uses = sorted(found)
        if all(use.start_s != start_s for use in uses):
            return right(uses)
        return tuple(
            replace(use, start_s=start_s - 1_200) if use.start_s == start_s else use for use in uses
        )

    return merged


def _ingest_two(stage: Stage, facility: Facility) -> None:
    engine = open_engine(_database(stage.stack))
    with reading(engine) as connection:
        operator_id = facility_row(connection, facility.facility_id).operator_id
    events = [
        usage(stage, facility, "right", 0, 2_400),
        usage(stage, facility, _TWICE, 2_400, EPOCH_S),
    ]
    results = ingest(engine, operator_id, events, clock=lambda: stage.now_s)
    assert [r.status for r in results] == ["accepted"] * 2, results


def _proven(facility: Facility, lines: list[Line], tree: MerkleTree, index: int) -> tuple[Any, ...]:
    line = lines[index]
    place = (facility.facility_id, 0, line.index, int(line.kind))
    rest = (line.subject, line.lease, line.start_s, line.end_s, line.gpu_seconds)
    sums = (line.charge_micros, line.cumulative_gpu_seconds, line.cumulative_charge_micros)
    return ((*place, *rest, *sums), tree.proof(index))


def _database(stack: Stack) -> str:
    return os.environ.get("DATABASE_URL") or f"sqlite:///{stack.folder}/rentroll.db"


def _settings(stack: Stack, **more: Any) -> Settings:
    """Settings of the stack's processes, for one in this process."""
    values = {
        "database_url": _database(stack),
        "rpc_url": stack.chain.rpc_url,
        "deployment_file": stack.folder / "deployment.json",
        "evidence_dir": stack.folder / "evidence",
        "clock": "chain",
        "confirmations": 0,
        "api_url": stack.api_url,
    }
    return Settings(_env_file=None, **(values | more))
