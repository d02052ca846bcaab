"""`verify` replays attesters, panels, bonds, pledges and charges: whatever differs is named."""

from dataclasses import replace
from typing import Any

import pytest

from api.chain import calldata
from api.chain.emitted.args import EventArgs
from api.chain.emitted.attester_registry import (
    AttesterBondDeposited,
    AttesterPeriodSet,
    AttesterSlashed,
    PanelSet,
)
from api.chain.emitted.facility_registry import FacilityOffered
from api.chain.emitted.pledge_registry import PledgeApproved
from api.db import statements as store
from api.db.session import reading
from api.domain.statements.lines import usage_tree
from api.domain.statements.statement import (
    Statement,
    batch_digest,
    batch_leaf,
    batch_root,
    statement_digest,
    statement_hash,
)
from api.domain.units import Bytes32, Epoch, FacilityId
from api.epochs.attestations import publish_signatures
from scripts.dev.stack import ATTESTER_ACCOUNTS, MINIMUM_BOND, RENTER, SLASH_AMOUNT
from tests.altered import Change, findings_with
from tests.factories import DAY_S, HOUR_S
from tests.world import HOLDERS, World, send, signer_of, wallet

pytestmark = pytest.mark.chain
SIGNERS = ATTESTER_ACCOUNTS[:2]


@pytest.fixture
def closed(world: World) -> World:
    """A first epoch with two lines, closed."""
    world.at(DAY_S)
    world.ledger.ingest(world.ledger.usage(0, 0, HOUR_S), world.ledger.usage(1, 0, HOUR_S))
    world.at_cut_off(0)
    world.round()
    return world


def _stranger(world: World, to: str, data: str) -> None:
    send(world.client, wallet(RENTER).address, to, data)


def _signed(world: World, statement: Statement, *accounts: int) -> dict[str, bytes]:
    registry = world.deployment.statement_registry
    digest = statement_digest(statement, chain_id=world.deployment.chain_id, registry=registry)
    return _over(digest, *accounts)


def _over(digest: bytes, *accounts: int) -> dict[str, bytes]:
    signers = [signer_of(index) for index in accounts]
    return {signer.address: signer.sign_digest(digest) for signer in signers}


def _voided(world: World) -> Statement:
    """Two attesters post a dollar too much, anybody proves it, they deposit their bonds anew."""
    registry = world.deployment.statement_registry
    false = replace(world.statement(0), gross_revenue_micros=3_000_000)
    _stranger(world, registry, calldata.post(false, _signed(world, false, *SIGNERS)))
    with reading(world.engine) as connection:
        lines = store.lines_of(connection, false.facility_id, false.epoch)
    proof = usage_tree(false.facility_id, false.epoch, lines).proof(len(lines) - 1)
    _stranger(world, registry, calldata.challenge_line(false, lines[-1], proof))
    world.refill_bonds()
    return false


def test_verify__attester_history_differs__is_named(
    closed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ATTACKS 19: quorums count by panel, membership and bond as they were then."""
    _voided(closed)
    closed.attest()
    closed.round()
    signer, third = (wallet(ATTESTER_ACCOUNTS[i]).address.lower() for i in (0, 2))
    facility = f"facility {closed.facility_id}"
    cases: list[tuple[type[EventArgs], Change | None, str]] = [
        (PanelSet, None, f"{facility} had no panel of attesters"),
        (FacilityOffered, lambda a: replace(a, panel=2), "had no panel of attesters"),
        (
            PanelSet,
            lambda a: replace(a, attesters=(third,), threshold=1),
            "an attester had no seat on panel 1",
        ),
        (PanelSet, lambda a: replace(a, threshold=3), "2 attesters do not make a quorum of 3"),
        (PanelSet, lambda a: replace(a, threshold=3), "not one seat less than twice its quorum"),
        (AttesterPeriodSet, None, "an attester was not in the attester set"),
        (
            AttesterPeriodSet,
            lambda a: replace(a, active_until_s=1),
            "an attester was not in the attester set",
        ),
        (AttesterBondDeposited, None, "the bond of an attester was below the minimum"),
        (
            AttesterBondDeposited,
            lambda a: replace(a, bond_micros=a.bond_micros + 1),
            f"the bond of {signer} is {MINIMUM_BOND + 1} where {MINIMUM_BOND} should be held",
        ),
        (
            AttesterBondDeposited,
            lambda a: replace(a, amount_micros=a.amount_micros + 1),
            f"holds a bond of {MINIMUM_BOND} for {third}, not {MINIMUM_BOND + 1}",
        ),
    ]

    assert closed.verify().findings == ()
    for kind, change, expected in cases:
        found = findings_with(closed, monkeypatch, kind, change)
        assert any(expected in said for said in found), (kind, expected, found)


def test_verify__charge_differs__is_named(closed: World, monkeypatch: pytest.MonkeyPatch) -> None:
    _voided(closed)
    closed.round()
    signer = wallet(ATTESTER_ACCOUNTS[0]).address.lower()
    half = SLASH_AMOUNT // 2
    cases: list[tuple[Change | None, str]] = [
        (lambda a: replace(a, amount_micros=a.amount_micros - 1), "another amount than a fault"),
        (lambda a: replace(a, challenger_amount_micros=half + 1), "another amount than a fault"),
        (lambda a: replace(a, statement_hash=b"\1" * 32), "for a statement without a fault"),
        (lambda a: replace(a, attester=signer), f"{signer} was charged twice for one statement"),
        (None, f"keeps {2 * half} for the treasury, not 0"),
        (
            lambda a: replace(a, challenger_amount_micros=0),
            f"{2 * half}, more than the 0 it earned",
        ),
    ]

    assert closed.verify().findings == ()
    for change, expected in cases:
        found = findings_with(closed, monkeypatch, AttesterSlashed, change)
        assert any(expected in said for said in found), (expected, found)
    attesters = closed.http.get("/v1/attesters").json()["attesters"]
    shown = {a["address"].lower(): (a["bond_micros"], a["slashed_micros"]) for a in attesters}
    assert shown[signer] == (MINIMUM_BOND, SLASH_AMOUNT)
    assert sorted(shown.values()) == [(MINIMUM_BOND, 0), *[(MINIMUM_BOND, SLASH_AMOUNT)] * 2]


def test_verify__pledge_differs__is_named(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.round()
    cases: list[tuple[Change | None, str]] = [
        (None, "was funded before its pledge was approved"),
        (None, "PledgeRegistry counts 1 approvals, not 0"),
        (
            lambda a: replace(a, attesters=a.attesters[:1]),
            "the approval of its pledge: 1 attesters do not make a quorum of 2",
        ),
        (lambda a: replace(a, number=2), "its pledge has number 2 where 1 came next"),
        (
            lambda a: replace(a, pledge_root=Bytes32(b"\1" * 32)),
            "another pledge was approved than was offered",
        ),
        (
            lambda a: replace(a, from_epoch=Epoch(1)),
            "another pledge was approved than was offered",
        ),
        (lambda a: replace(a, number=2), "PledgeRegistry holds other pledges"),
    ]

    assert world.verify().findings == ()
    for change, expected in cases:
        found = findings_with(world, monkeypatch, PledgeApproved, change)
        assert any(expected in said for said in found), (expected, found)


def _equivocation(
    world: World, first: Statement, second: Statement, *, batched: bool = False
) -> str:
    """A charge of the first attester, who signed both; `first` perhaps in a batch of one."""
    ordered = sorted((first, second), key=statement_hash)
    arguments: list[Any] = []
    for statement in ordered:
        in_batch = batched and statement is first
        signatures = _signed(world, statement, ATTESTER_ACCOUNTS[0])
        if in_batch:
            digest = batch_digest(
                batch_root([statement_hash(statement)]),
                chain_id=world.deployment.chain_id,
                registry=world.deployment.statement_registry,
            )
            signatures = _over(digest, ATTESTER_ACCOUNTS[0])
        arguments += [statement.as_abi_tuple(), (in_batch, [], list(signatures.items()))]
    return calldata.call("AttesterRegistry", "chargeEquivocation", *arguments)


@pytest.mark.parametrize("batched", [False, True])
def test_verify__two_rival_statements_signed__charge_is_read_from_its_call(
    closed: World, monkeypatch: pytest.MonkeyPatch, batched: bool
) -> None:
    ours = closed.statement(0)
    rival = replace(ours, gross_revenue_micros=3_000_000)
    registry = closed.deployment.attester_registry
    _stranger(closed, registry, _equivocation(closed, ours, rival, batched=batched))
    closed.refill_bonds()
    closed.attest()
    closed.round()

    report = closed.verify()
    other = findings_with(
        closed,
        monkeypatch,
        AttesterSlashed,
        lambda a: replace(a, statement_hash=Bytes32(b"\1" * 32)),
    )
    stranger = findings_with(
        closed,
        monkeypatch,
        AttesterSlashed,
        lambda a: replace(a, attester=wallet(ATTESTER_ACCOUNTS[1]).address.lower()),
    )

    assert report.findings == ()
    assert any("for a statement without a fault" in said for said in other), other
    assert any("for a statement without a fault" in said for said in stranger), stranger


def _second(world: World) -> int:
    """Another funded facility, of the same window."""
    facility_id = world.ledger.add_facility(
        range(10, 12), name="hall-2", settlement_token=world.deployment.settlement_token
    )
    world.offer(facility_id)
    for contract, name, *arguments in (
        ("BondVault", "setTerms", facility_id, (0, 1_000_000)),
        ("TrancheToken", "mint", HOLDERS[0], facility_id << 8, 1),
    ):
        to = world.deployment.addresses[contract]
        send(world.client, world.operator, to, calldata.call(contract, name, *arguments))
    world.approve_pledge(facility_id)
    fund = calldata.call("FacilityRegistry", "fund", facility_id)
    send(world.client, world.operator, world.deployment.facility_registry, fund)
    return facility_id


def _batch(world: World, facility_ids: list[int]) -> tuple[list[Statement], dict[str, bytes]]:
    """First statements of facilities as a batch, signed by two attesters."""
    with reading(world.engine) as connection:
        statements = [
            store.to_statement(store.known_statement_row(connection, FacilityId(i), Epoch(0)))
            for i in facility_ids
        ]
    statements.sort(key=lambda statement: batch_leaf(statement_hash(statement)))
    root = batch_root([statement_hash(statement) for statement in statements])
    deployment = world.deployment
    digest = batch_digest(
        root, chain_id=deployment.chain_id, registry=deployment.statement_registry
    )
    registry = world.contracts.statement_registry
    assert world.now(registry.batch_digest(root)) == digest
    return statements, _over(digest, *SIGNERS)


def test_verify__statements_of_a_batch__their_signatures_are_those_of_its_root(
    world: World,
) -> None:
    second = _second(world)
    world.at_cut_off(0)
    world.round()
    statements, signatures = _batch(world, [world.facility_id, second])
    for statement in statements:
        publish_signatures(world.engine, world.evidence, statement)
    _stranger(
        world,
        world.deployment.statement_registry,
        calldata.post_many(statements, signatures),
    )
    world.round()

    report = world.verify()

    assert (report.findings, report.statements) == ((), 2)
    counts = [
        world.now(world.contracts.statement_registry.epochs_posted(FacilityId(i)))
        for i in (world.facility_id, second)
    ]
    assert counts == [1, 1]


def test_verify__statement_alone_without_published_signatures__is_found(closed: World) -> None:
    """Only a batch carries the signatures of what it posts."""
    statement = closed.statement(0)
    publish_signatures(closed.engine, closed.evidence, statement)
    _stranger(
        closed,
        closed.deployment.statement_registry,
        calldata.post(statement, _signed(closed, statement, *SIGNERS)),
    )
    closed.round()

    messages = [f.message for f in closed.verify().findings]

    assert messages == ["a signature that the chain counted is missing"]
