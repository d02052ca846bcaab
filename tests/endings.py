"""How a facility of the small world ends: bonded, one epoch stated, then default."""

from dataclasses import replace
from typing import Any

from api.chain import calldata
from api.db.leases import known_lease_named
from api.db.session import reading
from api.domain.facility import DEFAULT_LONG_STOP_S, DEFAULT_PATIENCE_S
from api.domain.lifecycle import RECEIVABLE_LIFE_S
from api.domain.statements.refusal_files import SignedRefusal
from api.domain.statements.refusals import NO_HASH, Refusal, RefusalCode
from api.domain.units import Bytes32, Epoch
from scripts.dev.stack import ATTESTER_ACCOUNTS, RENTER
from tests.factories import DAY_S, HOUR_S, SEAL_S
from tests.world import HOLDERS, World, send, signer_of, wallet

BOND = 50_000_000
# One lease at a dollar an hour: two hours on each of four devices.
GROSS = 8_000_000
RENT = 5_000_000
LEASE = b"\7" * 32
FOREVER_S = 2**40
EVIDENCE = Bytes32(b"\5" * 32)
# Beside the cure and the time for last statements, a closing leaves a day for serving.
NOTICED_S = 2 * DAY_S + DEFAULT_PATIENCE_S
ENDED_S = NOTICED_S + 2 * DAY_S
CLOSES_S = ENDED_S + 3 * DAY_S


def call(world: World, sender: str, contract: str, name: str, *arguments: object) -> None:
    """Send a call from an account."""
    to = world.deployment.addresses[contract]
    send(world.client, sender, to, calldata.call(contract, name, *arguments))


def by_stranger(world: World, contract: str, name: str, *arguments: object) -> None:
    """What anybody may call, called by somebody."""
    call(world, wallet(RENTER).address, contract, name, *arguments)


def bond(world: World) -> None:
    """The operator deposits a bond."""
    vault = world.deployment.bond_vault
    call(world, world.operator, "SettlementToken", "mint", world.operator, BOND)
    call(world, world.operator, "SettlementToken", "approve", vault, BOND)
    call(world, world.operator, "BondVault", "deposit", world.facility_id, BOND)


def first_epoch(world: World) -> None:
    """One epoch stated, five of its eight dollars paid; a voucher that nobody serves."""
    world.at(60)
    world.take_delivery(HOLDERS[1], world.token_ids[1], 5, LEASE)
    world.at(DAY_S)
    world.ledger.ingest(*(world.ledger.usage(gpu, 0, 2 * HOUR_S) for gpu in range(4)))
    world.post(0)
    world.pay(RENT)
    world.at_finality(0)
    world.round()


def publish(world: World, epoch: int) -> None:
    """The operator publishes its evidence of an epoch itself."""
    arguments = (world.facility_id, epoch, EVIDENCE)
    call(world, world.operator, "StatementRegistry", "publish", *arguments)


def signed_refusal(world: World, refusal: Refusal, index: int, **more: Any) -> SignedRefusal:
    """A refusal, signed by a well-known account for the world's desk."""
    deployment, signer = world.deployment, signer_of(index)
    chain_id, desk = deployment.chain_id, deployment.attester_desk
    unsigned = SignedRefusal(refusal, signer.address, b"", chain_id, desk, **more)
    return replace(unsigned, signature=signer.sign_digest(unsigned.digest))


def reject(world: World, epoch: int) -> None:
    """Two attesters reject the evidence that stands published."""
    openness = world.now(world.contracts.statement_registry.openness_of(world.facility_id))
    code = RefusalCode.NOT_RECOMPUTED
    hashes = (NO_HASH, EVIDENCE, NO_HASH)
    refusal = Refusal(
        world.facility_id, Epoch(epoch), *hashes, openness.rejections, FOREVER_S, code
    )
    refusals = [signed_refusal(world, refusal, index) for index in ATTESTER_ACCOUNTS[:2]]
    data = calldata.reject(world.facility_id, epoch, EVIDENCE, refusals)
    send(world.client, wallet(RENTER).address, world.deployment.attester_desk, data)


def default(world: World, epoch: int = 1) -> None:
    """Notice of an epoch as soon as it may be given of the second one, then default."""
    for at_s, step in ((NOTICED_S, "noticeDefault"), (ENDED_S, "declareDefault")):
        world.at(at_s)
        by_stranger(world, "FacilityRegistry", step, world.facility_id, epoch)


def default_and_close(world: World) -> None:
    """A default, then the closing, which the worker sends."""
    default(world)
    world.round()
    world.at(CLOSES_S)
    world.round()


def closed(world: World) -> None:
    """All of it: evidence published and rejected, default, closing, late rent, voucher paid."""
    bond(world)
    first_epoch(world)
    world.at(2 * DAY_S)
    publish(world, 1)
    reject(world, 1)
    default_and_close(world)
    world.pay(GROSS - RENT)
    world.round()
    by_stranger(world, "RentLockbox", "payVoucher", 1)
    world.round()


def closed_beyond_worth(world: World) -> None:
    """Of 300 attested dollars five are paid and the bond pays 50; all come in the end.

    Delivered hours are worth 94: a dollar an hour for 96, less two that served a voucher.
    """
    bond(world)
    world.ledger.add_lease("dear", price=50_000_000)
    with reading(world.engine) as connection:
        lease = known_lease_named(connection, world.facility_id, "lease-b").lease
    world.take_delivery(HOLDERS[1], world.token_ids[1], 2, lease)
    world.take_delivery(HOLDERS[0], world.token_ids[1], 1, LEASE, nonce=2)
    world.at(DAY_S)
    delivered = world.ledger.usage(0, HOUR_S, 3 * HOUR_S, lease="lease-b", kind="delivery")
    rented = (world.ledger.usage(gpu, 0, 2 * HOUR_S, lease="dear") for gpu in (1, 2, 3))
    world.ledger.ingest(delivered, *rented)
    world.post(0)
    world.pay(RENT)
    world.at_finality(0)
    world.round()
    default_and_close(world)


# Two replace what the bond advanced; the third goes to claims; the last also leaves rent for the
# waterfall.
LATE_RENTS = (30_000_000, 20_000_000, 100_000_000, 145_000_000)


def unpaid_coupon(world: World) -> None:
    """Closed without a bond: half an hour was rented and not paid, a third of the coupon is due."""
    world.at(DAY_S)
    world.ledger.ingest(world.ledger.usage(0, 0, HOUR_S // 2))
    world.post(0)
    world.at_finality(0)
    world.round()
    default_and_close(world)


def all_epochs(world: World) -> None:
    """All three epochs and the closing statement stated; of eight dollars, five are paid."""
    first_epoch(world)
    for epoch in (1, 2):
        world.post(epoch)
    world.at_finality(2)
    world.round()
    world.post_closing()


def matured_unpaid(world: World) -> None:
    """Notice of the unpaid rent, and maturity 90 days later."""
    by_stranger(world, "FacilityRegistry", "noticeUnpaid", world.facility_id)
    world.at(4 * DAY_S + RECEIVABLE_LIFE_S)
    by_stranger(world, "FacilityRegistry", "mature", world.facility_id)


def stopped(world: World) -> None:
    """Nobody ends the facility until its long stop."""
    world.at(3 * DAY_S + SEAL_S + DEFAULT_LONG_STOP_S)
    by_stranger(world, "FacilityRegistry", "stop", world.facility_id)
