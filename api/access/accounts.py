"""Registering who gets keys: operators, and attesters' processes."""

from sqlalchemy import Connection, select

from api.access.key_book import Account, Maker, NewKey, make_key
from api.access.scopes import SCOPES, Role
from api.db.rows import insert_record, new_key
from api.db.tables.facilities import NewOperator, operators
from api.domain.units import OperatorId
from api.errors import Conflict

FIRST_KEY = "first"


def add_operator(
    connection: Connection, *, name: str, address: str, actor: str, now_s: int
) -> tuple[OperatorId, str]:
    """Register an operator; returns its id and its first key, with all scopes, shown this once.

    Raises:  Conflict if the name or address is taken.
    """
    taken = select(operators.c.operator_id).where(
        (operators.c.name == name) | (operators.c.address == address)
    )
    if connection.execute(taken).first() is not None:
        raise Conflict("an operator of this name or address exists", field="name")
    new = NewOperator(name=name, address=address, created_at_s=now_s)
    operator_id = OperatorId(new_key(insert_record(connection, new)))
    account = Account(Role.OPERATOR, operator_id)
    first = NewKey(account, FIRST_KEY, SCOPES[Role.OPERATOR])
    return operator_id, make_key(connection, first, by=Maker(actor, None), now_s=now_s).text


def add_attester_key(
    connection: Connection, *, name: str, attester: str, actor: str, now_s: int
) -> str:
    """A key with which an attester's process works, with all scopes, shown this once.

    Args:    attester: account that it speaks for, with its EIP-55 checksum.

    Raises:  InvalidInput, Conflict if a live key of an attester has the name.
    """
    account = Account(Role.ATTESTER, None)
    new = NewKey(account, name, SCOPES[Role.ATTESTER], attester=attester)
    return make_key(connection, new, by=Maker(actor, None), now_s=now_s).text
