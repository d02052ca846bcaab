"""What tests of statements and attesters do and expect, in a line each."""

from typing import Any

import brownie
from brownie import chain

from api.domain.statements.statement import Statement
from tests.contracts.attesting import by_address
from tests.contracts.registry_world import Posted, RegistryWorld, empty_statement, wait_until


def refuse(error: str, function: Any, *arguments: Any) -> None:
    """Expect a call to revert with an error; its name, or its name and first arguments."""
    with brownie.reverts(revert_pattern=f"(?i){error}.*"):
        function(*arguments)


def refuse_post(book: RegistryWorld, statement: Statement, signed: Any, error: str) -> None:
    """Expect a posting to revert with an error."""
    refuse(error, book.registry.post, statement.as_abi_tuple(), signed, {"from": book.anybody})


def first_statement(book: RegistryWorld) -> Statement:
    """An empty statement of epoch 0, once that is over."""
    statement = empty_statement(book.terms, 0)
    wait_until(statement.epoch_end_s)
    return statement


def pass_time(seconds: int) -> None:
    """Mine a block so much later."""
    chain.sleep(seconds)
    chain.mine()


def seat(book: RegistryWorld, panel: int, attesters: Any) -> Any:
    """Give the seats of a panel to attesters."""
    return book.members.setPanel(panel, by_address(attesters), {"from": book.owner})


def challenge(book: RegistryWorld, posted: Posted, sender: Any = None) -> Any:
    """Prove a fault by the last line of a statement."""
    sender = {"from": sender or book.challenger}
    return book.registry.challengeLine(posted.abi, posted.proven(-1), sender)


def charge(book: RegistryWorld, posted: Posted, proof: Any, signed: Any, sender: Any = None) -> Any:
    """Charge the signers of a statement that no challenge reaches."""
    sender = {"from": sender or book.anybody}
    return book.members.chargeSigners(posted.abi, proof, signed, sender)
