"""`verify` recomputes duties, pay and refunds: an event that says otherwise is named."""

from dataclasses import replace

import pytest
from eth_abi.abi import encode

from api.chain import calldata
from api.chain.emitted.args import EventArgs
from api.chain.emitted.attester_desk import (
    AttesterPaid,
    DutyBooked,
    FeesSplit,
    FeesTaken,
    SignatureShown,
    StatementRefused,
    UnearnedReleased,
)
from api.chain.emitted.refund_desk import CreditRefunded, CreditsApproved, ShareRefunded
from api.chain.emitted.rent_lockbox import FacilityClosed, FeesPassed, RentRefunded
from api.db.session import reading
from api.domain.merkle import leaf_hash
from api.domain.statements.refusals import NO_HASH, Refusal, RefusalCode
from api.domain.statements.statement import statement_digest
from api.domain.units import Epoch
from api.reads.bills import paid_by_lease
from scripts.dev.stack import ATTESTER_ACCOUNTS, RENTER
from tests.altered import Change, findings_with
from tests.endings import (
    CLOSES_S,
    EVIDENCE,
    GROSS,
    bond,
    by_stranger,
    call,
    default_and_close,
    signed_refusal,
)
from tests.factories import DAY_S, HOUR_S
from tests.world import World, send, signer_of, wallet

pytestmark = pytest.mark.chain
EXCESS = 3_000_000
CREDIT = 1_000_000
OWNER = wallet(0).address
RENTER_ADDRESS = wallet(RENTER).address
_CREDIT_KINDS = ("uint64", "uint32", "bytes32", "address", "uint64")


def _attested(digest: bytes, *accounts: int) -> list[tuple[str, bytes]]:
    signers = sorted((signer_of(i) for i in accounts), key=lambda s: s.address.lower())
    return [(signer.address, signer.sign_digest(digest)) for signer in signers]


def _refuse(world: World, epoch: int, account: int) -> None:
    refusal = Refusal(
        world.facility_id,
        Epoch(epoch),
        NO_HASH,
        EVIDENCE,
        NO_HASH,
        0,
        0,
        RefusalCode.EVIDENCE_MISSING,
    )
    refusals = [signed_refusal(world, refusal, account)]
    data = calldata.refuse(world.facility_id, epoch, refusals)
    send(world.client, RENTER_ADDRESS, world.deployment.attester_desk, data)


def _closed(world: World) -> None:
    """All duties of epoch 0 are done, one of epoch 1; the renter paid three dollars too much."""
    bond(world)
    world.at(DAY_S)
    world.ledger.ingest(*(world.ledger.usage(gpu, 0, 2 * HOUR_S) for gpu in range(4)))
    world.post(0)
    statement, deployment = world.statement(0), world.deployment
    registry = deployment.statement_registry
    digest = statement_digest(statement, chain_id=deployment.chain_id, registry=registry)
    shown = (False, [], _attested(digest, ATTESTER_ACCOUNTS[2]))
    by_stranger(world, "AttesterDesk", "showSignatures", statement.as_abi_tuple(), shown)
    world.pay(GROSS + EXCESS)
    world.at_finality(0)
    world.round()
    by_stranger(world, "AttesterDesk", "book", world.facility_id, 0)
    world.at(2 * DAY_S)
    _refuse(world, 1, ATTESTER_ACCOUNTS[1])
    default_and_close(world)
    by_stranger(world, "AttesterDesk", "book", world.facility_id, 1)
    by_stranger(world, "AttesterDesk", "collect", world.facility_id)
    for account in ATTESTER_ACCOUNTS:
        by_stranger(world, "AttesterDesk", "pay", world.facility_id, wallet(account).address)


def _refunded(world: World) -> None:
    """A dollar by a signed credit, and ninety days later the rest to who paid it."""
    credit = (world.facility_id, 0, b"\1" * 32, RENTER_ADDRESS, CREDIT)
    root = leaf_hash(encode(_CREDIT_KINDS, credit))
    desk = world.contracts.refund_desk
    digest = world.now(desk.credits_digest(world.facility_id, root))
    signed = _attested(digest, *ATTESTER_ACCOUNTS[:2])
    by_stranger(world, "RefundDesk", "approveCredits", world.facility_id, root, signed)
    by_stranger(world, "RefundDesk", "refundCredit", credit, [])
    world.at(CLOSES_S + 91 * DAY_S)
    by_stranger(world, "RefundDesk", "refundShare", world.facility_id, RENTER_ADDRESS)
    by_stranger(world, "AttesterDesk", "collect", world.facility_id)
    by_stranger(world, "AttesterDesk", "releaseUnearned", world.facility_id)
    call(world, OWNER, "AttesterDesk", "takeFees", world.deployment.settlement_token, OWNER)
    world.round()


def test_verify__duties_pay_and_refunds__hold_and_add_up(world: World) -> None:
    """By hand: a fee of 0.08 on eight dollars; attesters have 40 % of it, for twelve duties."""
    _closed(world)
    _refunded(world)

    assert world.verify().findings == ()
    desk, facility_id = world.contracts.attester_desk, world.facility_id
    earned = [
        world.now(desk.earned_micros(facility_id, wallet(account).address))
        for account in ATTESTER_ACCOUNTS
    ]
    fees = world.now(desk.fees_micros(facility_id))
    assert world.now(desk.statements_due(facility_id)) == 4
    one, two = (fees * 4 // 10 * duties // 12 for duties in (1, 2))
    assert sorted(earned) == sorted([one, two, one])
    released = world.now(desk.released_micros(facility_id))
    assert released == fees * 4 // 10 * 8 // 12
    owed = world.now(
        world.contracts.rent_lockbox.owed_micros(
            token=world.deployment.settlement_token, account=RENTER_ADDRESS
        )
    )
    assert owed == EXCESS
    # The signed credit names its lease, and lowers what that lease paid; the share names none.
    with reading(world.engine) as connection:
        paid = paid_by_lease(connection, world.facility_id)
    assert paid == {b"\1" * 32: GROSS + EXCESS - CREDIT}


_CASES: list[tuple[type[EventArgs], Change | None, str]] = [
    (FeesPassed, None, "that never left the lockbox"),
    (
        FeesPassed,
        lambda a: replace(a, amount_micros=a.amount_micros - 1),
        "fees that left the lockbox are not what was split",
    ),
    (
        FeesSplit,
        lambda a: replace(a, to_attesters_micros=a.to_attesters_micros + 1),
        "micros of fees went to attesters where",
    ),
    (DutyBooked, None, "was paid"),
    (DutyBooked, lambda a: replace(a, epoch=Epoch(0)), "twice for epoch 0"),
    (DutyBooked, lambda a: replace(a, epoch=Epoch(2)), "which it neither signed nor refused"),
    (SignatureShown, None, "which it neither signed nor refused"),
    (
        SignatureShown,
        lambda a: replace(a, statement_hash=EVIDENCE),
        "another statement than is posted",
    ),
    (StatementRefused, None, "which it neither signed nor refused"),
    (
        StatementRefused,
        lambda a: replace(a, attester=RENTER_ADDRESS.lower()),
        "whose panel has no seat for it",
    ),
    (AttesterPaid, lambda a: replace(a, amount_micros=a.amount_micros + 1), "was paid"),
    (AttesterPaid, None, "AttesterDesk holds other fees and pay"),
    (
        UnearnedReleased,
        lambda a: replace(a, amount_micros=a.amount_micros + 1),
        "micros of pay were released where",
    ),
    (FeesTaken, lambda a: replace(a, amount_micros=a.amount_micros + 1), "the treasury took"),
    (FeesTaken, None, "AttesterDesk owes the treasury 0"),
    (CreditsApproved, None, "a credit was paid back that nobody signed"),
    (
        CreditsApproved,
        lambda a: replace(a, attesters=a.attesters[:1]),
        "the approval of its credits: 1 attesters do not make a quorum",
    ),
    (CreditsApproved, lambda a: replace(a, credits_root=EVIDENCE), "holds other credits"),
    (CreditRefunded, None, "that RefundDesk does not name"),
    (CreditRefunded, lambda a: replace(a, payer=OWNER.lower()), "more rent back than it paid"),
    (
        CreditRefunded,
        lambda a: replace(a, amount_micros=EXCESS + 1),
        "more rent went back than exceeds",
    ),
    (FacilityClosed, None, "which can still be stated"),
    (
        ShareRefunded,
        lambda a: replace(a, amount_micros=a.amount_micros - 1),
        "micros of rent back where 2000000 are due",
    ),
    (ShareRefunded, None, "that RefundDesk does not name"),
    (
        RentRefunded,
        lambda a: replace(a, payer=OWNER.lower()),
        "that RefundDesk does not name",
    ),
]


def test_verify__event_of_a_desk_differs__is_named(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    _closed(world)
    _refunded(world)

    for kind, change, expected in _CASES:
        found = findings_with(world, monkeypatch, kind, change)
        assert any(expected in said for said in found), (kind, expected, found)
