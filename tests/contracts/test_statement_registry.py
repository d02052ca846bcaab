"""StatementRegistry.post: order, contents, quorum; every way round is tried."""

from dataclasses import replace

import brownie
import pytest

from api.domain.statement import statement_digest, statement_hash
from api.domain.units import Bytes32


def test_hash__any_statement__equals_the_model(world):
    statement = world.fund().statement(0, 123_456_789)

    onchain = world.statements.hashStatement(statement.as_abi_tuple())
    digest = world.statements.statementDigest(statement.as_abi_tuple())

    assert bytes(onchain) == statement_hash(statement)
    registry = world.statements.address
    assert bytes(digest) == statement_digest(
        statement, chain_id=brownie.chain.id, registry=registry
    )


def test_post__quorum_in_order__is_stored_and_emitted(world):
    statement = world.fund().post(0, 5_000_000)

    stored = world.statements.statementOf(7, 0)

    assert bytes(stored[0]) == statement_hash(statement)
    assert stored[2] == 5_000_000
    assert world.statements.epochsPosted(7) == 1
    assert world.statements.epochsFinal(7) == 0


@pytest.mark.parametrize(
    ("order", "error"),
    [
        ([0], "QuorumMissing"),
        ([], "QuorumMissing"),
        ([0, 0], "AttestersNotAscending"),
        ([1, 0], "AttestersNotAscending"),
        ([0, 1, 0], "AttestersNotAscending"),
    ],
)
def test_post__forged_quorum__reverts(world, order, error):
    """ATTACKS 19."""
    statement = world.fund().statement(0, 1)
    world.wait_until(statement.epoch_end_s)
    signed = world.sign(statement, [world.attesters[i] for i in order])

    with brownie.reverts(revert_pattern=f"{error}.*"):
        world.statements.post(statement.as_abi_tuple(), signed, {"from": world.cleo})


def test_post__stranger_or_other_statement_signed__reverts(world):
    """ATTACKS 18, 19: signatures count for this statement, chain and registry alone."""
    statement = world.fund().statement(0, 1)
    world.wait_until(statement.epoch_end_s)
    stranger = sorted([world.attesters[0], world.accounts.add()], key=lambda a: int(a.address, 16))
    other = world.sign(replace(statement, gross_revenue_micros=2))
    malleable = world.sign(statement)
    address, signature = malleable[0]
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    high_s = (order - int.from_bytes(signature[32:64], "big")).to_bytes(32, "big")
    malleable[0] = (address, signature[:32] + high_s + bytes([55 - signature[64]]))

    for signed, error in (
        (world.sign(statement, stranger), "NotAttester"),
        (other, "SignatureInvalid"),
        (malleable, "SignatureInvalid"),
    ):
        with brownie.reverts(revert_pattern=f"{error}.*"):
            world.statements.post(statement.as_abi_tuple(), signed, {"from": world.cleo})


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"epoch": 1}, "EpochOutOfOrder"),
        ({"epoch_start_s": 1}, "EpochBoundsWrong"),
        ({"billed_gpu_seconds": 36_001}, "GpuSecondsAboveCapacity"),
        ({"available_gpu_seconds": 36_001}, "GpuSecondsAboveCapacity"),
        ({"previous_statement_hash": Bytes32(b"\x01" * 32)}, "PreviousStatementWrong"),
        ({"line_count": 0}, "StatementInvalid"),
        ({"evidence_hash": Bytes32(bytes(32))}, "StatementInvalid"),
        ({"top_renter_bps": 10_001}, "StatementInvalid"),
        ({"facility_id": 8}, "FacilityNotDelivering"),
    ],
)
def test_post__contents_wrong__reverts(world, changes, error):
    """ATTACKS 21."""
    statement = replace(world.fund().statement(0, 1), **changes)
    world.wait_until(world.terms.window_end_s)
    signed = world.sign(statement)

    with brownie.reverts(revert_pattern=f"{error}.*"):
        world.statements.post(statement.as_abi_tuple(), signed, {"from": world.cleo})


def test_post__before_the_end_or_twice__reverts(world):
    statement = world.fund().statement(0, 1)
    world.wait_until(statement.epoch_start_s)
    signed = world.sign(statement)

    with brownie.reverts(revert_pattern="EpochNotOver.*"):
        world.statements.post(statement.as_abi_tuple(), signed, {"from": world.cleo})
    world.post(0, 1)
    with brownie.reverts(revert_pattern="EpochOutOfOrder.*"):
        world.statements.post(statement.as_abi_tuple(), signed, {"from": world.cleo})


def test_attesters__fewer_than_the_threshold__cannot_be_left(world):
    """ATTACKS 19: removal that leaves fewer than k, threshold 0 or above n."""
    owner = {"from": world.accounts[0]}
    world.statements.setAttester(world.attesters[0], False, owner)

    with brownie.reverts(revert_pattern="ThresholdOutOfRange.*"):
        world.statements.setAttester(world.attesters[1], False, owner)
    for threshold in (0, 3):
        with brownie.reverts(revert_pattern="ThresholdOutOfRange.*"):
            world.statements.setThreshold(threshold, owner)
