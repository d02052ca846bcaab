"""A Safe of two of three owners, as published: it holds, buys, claims, attests and operates."""

import brownie
import pytest
from brownie import chain

from api.chain.structs import to_abi
from api.domain.capital.orders import order_digest
from api.domain.statements.statement import statement_digest
from scripts.roles import GPU_OPERATOR
from tests.contracts.attesting import by_address, signed, typed_digest
from tests.contracts.conftest import bond_attester, facility_terms
from tests.contracts.foreign import AllowList, SafeFactory
from tests.contracts.model import RATE, World
from tests.contracts.steps import refuse

FUNDED = 2
CLAIM = (
    ("holder", "address"),
    ("ids", "uint256[]"),
    ("to", "address"),
    ("nonce", "uint256"),
    ("deadline", "uint256"),
)


@pytest.fixture
def factory(accounts):
    """What Safes are made of."""
    return SafeFactory(accounts[9])


@pytest.fixture
def owners(accounts):
    """Three owners, by address. They have keys and need no gas."""
    return by_address(accounts.add() for _ in range(3))


@pytest.fixture
def safe(factory, owners):
    """A Safe of two of them."""
    return factory.make(owners, 2)


def hand_over(world, safe) -> None:
    """Fund the facility; ann's juniors, 13 of 24, go to the Safe."""
    world.fund()
    world.token.safeTransferFrom(
        world.ann, safe.address, world.junior, 13, b"", {"from": world.ann}
    )


def earn(world) -> None:
    """Let all flow that an epoch earned."""
    world.post(0, 30_000_000)
    world.pay(30_000_000)
    world.settle()
    world.wait_until(chain[-1].timestamp + world.terms.epoch_length_s)


def claim_digest(world, safe, token_ids, to, deadline_s: int) -> bytes:
    """What a holder signs for its first claim, by a wallet library."""
    values = (safe.address, token_ids, to.address, 0, deadline_s)
    message = {name: value for (name, _), value in zip(CLAIM, values, strict=True)}
    return typed_digest(world.wallets.address, "Rentroll Wallets", "Claim", CLAIM, message)


# --- it holds ------------------------------------------------------------------------------------


def test_units__to_and_from_a_safe__move_singly_and_in_batches(world, safe):
    world.fund()
    token, ids = world.token, [world.senior, world.junior]

    token.safeTransferFrom(world.ann, safe.address, world.junior, 5, b"", {"from": world.ann})
    token.safeBatchTransferFrom(world.ann, safe.address, ids, [4, 3], b"", {"from": world.ann})
    one = token.safeTransferFrom.encode_input(safe.address, world.bob, world.junior, 2, b"")
    safe.call((token, one))
    many = token.safeBatchTransferFrom.encode_input(safe.address, world.bob, ids, [1, 1], b"")
    safe.call((token, many))

    held = token.balanceOfBatch([safe.address] * 2 + [world.bob] * 2, ids * 2)
    assert [int(units) for units in held] == [3, 5, 1, 14]


def test_units__safe_without_handler_or_off_the_list__gets_none(
    world, deployed, factory, owners, safe
):
    """A bare Safe answers no hook. One that does must be on the list, like anybody."""
    bare = factory.make(owners, 2, handler=False)
    world.fund()
    listed = AllowList(deployed[0], world.accounts[0])
    listed.enter(world.ann, bare.address)

    def send(wallet):
        to = (world.ann, wallet.address, world.junior, 1, b"")
        return world.token.safeTransferFrom(*to, {"from": world.ann})

    with brownie.reverts():
        send(bare)
    refuse("ERC7943CannotReceive", send, safe)
    listed.enter(safe.address)
    send(safe)

    assert world.token.balanceOf(safe.address, world.junior) == 1


# --- it buys -------------------------------------------------------------------------------------


def test_buy__approval_and_purchase_in_one_transaction__is_all_or_nothing(world, safe):
    world.offer()
    prices = world.open_sale()
    cost = 5 * prices[1]
    approve = (world.dollar, world.dollar.approve.encode_input(world.sale, cost))
    buy = (world.sale, world.sale.buy.encode_input(world.junior, 5, cost))

    # No money yet: the purchase fails, and the approval with it.
    refuse("GS013", safe.call, approve, buy)
    assert world.dollar.allowance(safe.address, world.sale) == 0
    world.dollar.mint(safe.address, cost, {"from": world.cleo})
    done = safe.call(approve, buy)

    sold = done.events["UnitsSold"][0]
    assert (sold["buyer"], sold["units"], sold["cost"]) == (safe.address, 5, cost)
    assert world.token.balanceOf(safe.address, world.junior) == 5
    assert world.dollar.balanceOf(safe.address) == 0
    assert world.dollar.allowance(safe.address, world.sale) == 0


def test_refund__sale_failed__goes_back_to_the_safe(world, safe):
    world.offer()
    cost = 5 * world.open_sale()[1]
    world.dollar.mint(safe.address, cost, {"from": world.cleo})
    approve = (world.dollar, world.dollar.approve.encode_input(world.sale, cost))
    safe.call(approve, (world.sale, world.sale.buy.encode_input(world.junior, 5, cost)))
    world.wait_until(world.terms.window_start_s - 10)
    world.sale.finalize(7, {"from": world.cleo})

    safe.call((world.sale, world.sale.refund.encode_input(world.junior, 2, safe.address)))
    world.sale.refundTo(safe.address, world.junior, {"from": world.cleo})

    assert world.dollar.balanceOf(safe.address) == cost
    assert world.token.totalSupply(world.junior) == 0


# --- it claims -----------------------------------------------------------------------------------


def test_claim__by_transaction_of_two_owners__pays_its_share(world, safe, owners, accounts):
    hand_over(world, safe)
    earn(world)
    due = world.token.claimable(safe.address, world.junior)
    claim = (world.token, world.token.claim.encode_input([world.junior], world.cleo))

    refuse("GS020", lambda: safe.call(claim, signers=owners[:1]))
    strangers = by_address([owners[0], accounts.add()])
    refuse("GS026", lambda: safe.call(claim, signers=strangers))
    safe.call(claim)

    assert world.dollar.balanceOf(world.cleo) == due > 0
    assert world.token.claimable(safe.address, world.junior) == 0
    # Bob has the other 11 juniors; each of both claims is rounded down.
    assert abs(due * 11 - world.token.claimable(world.bob, world.junior) * 13) < 13


@pytest.mark.parametrize("threshold", [1, 2])
def test_claim_by_sig__of_a_safe__counts_once_with_all_signatures(
    world, factory, owners, threshold
):
    """One owner's signature is as long as an account's own: it counts by ERC-1271 all the same."""
    safe = factory.make(owners, threshold)
    hand_over(world, safe)
    earn(world)
    due, ids = world.token.claimable(safe.address, world.junior), [world.junior]
    deadline_s = chain[-1].timestamp + 600
    digest = claim_digest(world, safe, ids, world.cleo, deadline_s)
    good = safe.sign(digest)
    assert len(good) == 65 * threshold

    def claim(signature, to=world.cleo):
        arguments = (safe.address, ids, to, deadline_s, signature)
        return world.wallets.claimBySig(*arguments, {"from": world.bob})

    refuse("SignatureInvalid", claim, safe.sign(digest, owners[: threshold - 1]))
    # Signed by the right owners, but not as the Safe's message.
    plain = b"".join(signature for _, signature in signed(digest, owners[:threshold]))
    refuse("SignatureInvalid", claim, plain)
    refuse("SignatureInvalid", claim, good, world.bob)
    claim(good)
    refuse("SignatureInvalid", claim, good)

    assert world.dollar.balanceOf(world.cleo) == due > 0
    assert world.wallets.nonces(safe.address) == 1


# --- it attests ----------------------------------------------------------------------------------


def test_attester__is_a_safe__counts_in_statements_and_pledges(world, deployed, safe, owners):
    """ERC-1271 in both registries: a Safe has a seat and a bond like any other attester."""
    registry, by_owner, by_anybody = (
        world.registry,
        {"from": world.accounts[0]},
        {"from": world.cleo},
    )
    registry.setAttester(safe.address, True, by_owner)
    bond_attester(deployed[0], safe.address, registry.minimumBond(), world.ann)
    seats = by_address([*world.attesters[:2], safe.address])
    registry.setPanel(1, seats, by_owner)

    def attested(digest, signers=None):
        own = (safe.address, safe.sign(digest, signers))
        return sorted([*signed(digest, world.attesters[:1]), own], key=lambda a: int(a[0], 16))

    world.offer()
    digest = bytes(world.pledges.pledgeDigest(7, world.pledge.root, 0))
    refuse("SignatureInvalid", world.pledges.approve, 7, attested(digest, owners[:1]), by_anybody)
    approved = world.pledges.approve(7, attested(digest), by_anybody)
    world.fund(offer=False)
    statement = world.statement(0, 1_000_000)
    world.wait_until(statement.epoch_end_s)
    place = {"chain_id": chain.id, "registry": world.statements.address}
    digest, row = statement_digest(statement, **place), statement.as_abi_tuple()
    refuse("SignatureInvalid", world.statements.post, row, attested(digest, owners[:1]), by_anybody)
    posted = world.statements.post(row, attested(digest), by_anybody)
    safe.call((registry, registry.setUrl.encode_input("https://safe.example/")))

    assert safe.address in approved.events["PledgeApproved"][0]["attesters"]
    assert safe.address in posted.events["StatementPosted"][0]["attesters"]
    assert safe.address in world.statements.signersOf(7, 0)
    assert registry.urlOf(safe.address) == "https://safe.example/"


# --- it operates ---------------------------------------------------------------------------------


def test_operator__is_a_safe__offers_mints_funds_and_signs_orders(deployed, accounts, safe, owners):
    """Offer, bond terms and units in one transaction; orders by ERC-1271."""
    contracts, attesters = deployed
    authority = contracts["AccessManager"]
    authority.grantRole(GPU_OPERATOR, safe.address, 0, {"from": accounts[0]})
    terms = facility_terms(contracts, accounts, gpu_operator=safe.address)
    world = World(contracts, terms, accounts, attesters)
    facilities, token, vault = world.facilities, world.token, world.vault

    safe.call(
        (facilities, facilities.offer.encode_input(*world.offered())),
        (vault, vault.setTerms.encode_input(7, (0, RATE))),
        (token, token.mint.encode_input(world.ann, world.senior, 16)),
        (token, token.mint.encode_input(world.ann, world.junior, 24)),
    )
    world.approve()
    safe.call((facilities, facilities.fund.encode_input(7)))
    assert facilities.stateOf(7) == FUNDED
    order = world.order(world.ann, world.junior, 2, b"\x5a" * 32)
    digest = order_digest(order, chain_id=chain.id, desk=world.desk.address)
    take, by_ann = world.desk.takeDelivery, {"from": world.ann}
    refuse("OrderSignatureInvalid", take, to_abi(order), safe.sign(digest, owners[:1]), by_ann)
    take(to_abi(order), safe.sign(digest), by_ann)

    assert token.balanceOf(world.ann, world.junior) == 22
    assert world.desk.voucherOf(1)["holder"] == world.ann
