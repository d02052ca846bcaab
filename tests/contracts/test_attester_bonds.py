"""AttesterRegistry: what attesters stand to lose, and who gets it."""

import brownie
import pytest
from brownie import ZERO_ADDRESS

from api.domain.capital.bond import slash
from tests.contracts.registry_world import (
    BOND,
    MINIMUM,
    SLASH,
    wait_until,
)
from tests.contracts.steps import refuse


def _as_the_registry(book):
    """Send as the StatementRegistry, whose key nobody has."""
    registry, ask = book.registry.address, brownie.web3.provider.make_request
    ask("anvil_setBalance", [registry, hex(10**18)])
    ask("anvil_impersonateAccount", [registry])
    return {"from": book.accounts.at(registry, force=True)}


def test_bond__member__cannot_take_it_and_whoever_left_can(book):
    """ATTACKS 24: no bond leaves while something that its owner signed can be challenged."""
    members, owner, attester = book.members, {"from": book.owner}, book.new_attester()
    by_attester = {"from": attester}
    refuse(f"AttesterLiable: {attester}, {2**64 - 1}", members.withdrawBond, attester, by_attester)
    left = members.setAttester(attester, False, owner)
    liable_s = left.timestamp + 600
    refuse(f"AttesterLiable: {attester}, {liable_s}", members.withdrawBond, attester, by_attester)
    wait_until(liable_s)
    for to in (ZERO_ADDRESS, members.address):
        refuse("RecipientInvalid", members.withdrawBond, to, by_attester)

    done = members.withdrawBond(book.challenger, by_attester)

    assert dict(done.events["AttesterBondWithdrawn"][0]) == {
        "attester": attester.address, "to": book.challenger.address, "amount": BOND,
    }  # fmt: skip
    assert done.return_value == book.dollar.balanceOf(book.challenger) == BOND
    refuse("NothingOwed", members.withdrawBond, attester, by_attester)
    # Whoever comes back pays in again before it counts.
    members.setAttester(attester, True, owner)
    assert not members.isAttester(attester)


def test_bond__deposit__refuses_nothing_and_too_much(book):
    by_anybody = {"from": book.anybody}

    refuse("AmountZero", book.members.depositBond, book.attesters[0], 0, by_anybody)
    refuse("SafeCast", book.members.depositBond, book.attesters[0], 2**96, by_anybody)
    assert book.bonds() == [BOND] * 3


def test_slash__by_anybody__is_refused(book):
    """ATTACKS 26."""
    by_attester = {"from": book.attesters[0]}

    refuse(
        "NotStatementRegistry", book.members.slash, 7, b"\1" * 32, book.attesters,
        book.challenger, by_attester,
    )  # fmt: skip
    assert book.bonds() == [BOND] * 3


def test_slash__as_the_registry__takes_what_is_left_and_no_account_twice(book):
    """Half, rounded down, to the challenger; the model of `api.domain.capital.bond`."""
    poor = book.accounts.add()
    book.admit(poor, SLASH - 1)
    pair, by_registry = [book.attesters[0], poor], _as_the_registry(book)
    taken = [slash(held=held, slash_amount=SLASH) for held in (BOND, SLASH - 1)]

    first = book.members.slash(7, b"\1" * 32, pair, book.challenger, by_registry)
    again = book.members.slash(7, b"\1" * 32, pair, book.anybody, by_registry)
    other = book.members.slash(7, b"\2" * 32, pair, book.anybody, by_registry)

    assert first.return_value == other.return_value == 2
    assert again.return_value == 0
    assert "AttesterSlashed" not in again.events
    amounts = [(e["amount"], e["challengerAmount"]) for e in first.events["AttesterSlashed"]]
    assert amounts == [(t.taken, t.to_challenger) for t in taken]
    assert [e["amount"] for e in other.events["AttesterSlashed"]] == [SLASH, 0]
    assert book.bonds(pair) == [BOND - 2 * SLASH, 0]
    assert book.owed(book.challenger) == sum(t.to_challenger for t in taken)
    assert book.owed(book.anybody) == SLASH // 2


def test_take_slashed__treasury__gets_the_other_half_and_nothing_stays(book):
    """Invariant 2: bonds, what challengers are owed and what the treasury is, are all there is."""
    members, treasury = book.members, {"from": book.owner}
    refuse("NothingOwed", members.takeSlashed, book.owner, treasury)
    members.slash(7, b"\1" * 32, book.attesters, book.challenger, _as_the_registry(book))
    half = 3 * SLASH // 2
    assert members.slashedForTreasury() == book.owed(book.challenger) == half
    assert book.dollar.balanceOf(members) == sum(book.bonds()) + 2 * half
    refuse("RecipientInvalid", members.takeSlashed, ZERO_ADDRESS, treasury)

    done = members.takeSlashed(book.accounts[4], treasury)
    members.withdraw(book.dollar, book.challenger, {"from": book.challenger})

    assert dict(done.events["SlashedTaken"][0]) == {
        "to": book.accounts[4].address, "amount": half,
    }  # fmt: skip
    assert book.dollar.balanceOf(book.accounts[4]) == half
    assert book.dollar.balanceOf(book.challenger) == half
    assert book.dollar.balanceOf(members) == sum(book.bonds())


@pytest.mark.parametrize(("minimum", "amount"), [(0, 0), (10, 0), (10, 11), (0, 1)])
def test_deploy__bond_that_does_not_cover_a_fault__reverts(book, minimum, amount):
    """Finding F40: amounts are fixed for ever, so no fault is priced afterwards."""
    arguments = (book.authority, book.facilities, book.dollar, minimum, amount, 0, 0, book.wallets)

    with brownie.reverts(f"BondTermsInvalid: {minimum}, {amount}"):
        book.project.AttesterRegistry.deploy(*arguments, {"from": book.owner})
    assert (book.members.minimumBond(), book.members.slashAmount()) == (MINIMUM, SLASH)
