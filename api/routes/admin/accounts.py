"""Operators and attesters' keys, which only the admin makes."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.access.accounts import add_attester_key, add_operator
from api.chain import calldata
from api.db.session import Connection, write
from api.routes.http.credentials import AdminOfKeys, AdminOfOperators
from api.routes.http.problems import errors
from api.routes.http.schemas import Address, Name, Strict, example
from api.routes.http.strict import StrictRoute
from api.routes.service import ServiceDep

router = APIRouter(tags=["admin"], route_class=StrictRoute)


class OperatorIn(Strict):
    """A new operator."""

    model_config = example(
        name="Aurora Compute", address="0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
    )

    name: Name = Field(description="Unique name.")
    address: Address = Field(description="Wallet that offers and mints: `gpuOperator` on-chain.")


class OperatorOut(BaseModel):
    """A registered operator with its key."""

    operator_id: int = Field(description="Number of the operator.")
    name: str = Field(description="Name as given.")
    address: str = Field(description="Checksummed wallet address.")
    api_key: str = Field(description="API key; shown this once, stored only as a hash.")


class AttesterKeyIn(Strict):
    """A key for an attester process."""

    model_config = example(
        label="attester-1", attester="0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65"
    )

    label: Name = Field(description="Name of the key; no other live attester key has it.")
    attester: Address = Field(
        description="Account that the key speaks for, once and for all: the attester's own, which"
        " has or will have a seat."
    )


class AttesterKeyOut(BaseModel):
    """An attester's key."""

    label: str = Field(description="Name of the key, as given.")
    attester: str = Field(description="Account that it speaks for, with its checksum.")
    api_key: str = Field(description="API key; shown this once, stored only as a hash.")


@router.post("/v1/operators", status_code=201, responses=errors(400, 401, 403, 409, 413, 422))
def create_operator(service: ServiceDep, caller: AdminOfOperators, body: OperatorIn) -> OperatorOut:
    """Register an operator, with a first key that has all scopes of an operator.

    The API key in the answer is shown this once. It is named `first`; with it, or signed in with
    the wallet, the operator makes others that may do less.
    """
    address = calldata.checksum(body.address)
    # Keys live by the wall clock.
    now_s = service.session_clock()
    operator_id, key = write(
        service.engine,
        lambda c: add_operator(c, name=body.name, address=address, actor=caller.actor, now_s=now_s),
    )
    return OperatorOut(operator_id=operator_id, name=body.name, address=address, api_key=key)


@router.post("/v1/attester-keys", status_code=201, responses=errors(400, 401, 403, 409, 413, 422))
def create_attester_key(
    service: ServiceDep, caller: AdminOfKeys, body: AttesterKeyIn
) -> AttesterKeyOut:
    """Make a key with which an attester's process reads raw events and submits signatures.

    It reads the log of facilities where its account has a seat, now or announced, and hands in
    what that account signed. The same as `POST /v1/admin/keys` with role attester and all of its
    scopes.
    """
    attester, now_s = calldata.checksum(body.attester), service.session_clock()

    def work(connection: Connection) -> str:
        named = {"name": body.label, "attester": attester, "actor": caller.actor}
        return add_attester_key(connection, **named, now_s=now_s)

    key = write(service.engine, work)
    return AttesterKeyOut(label=body.label, attester=attester, api_key=key)
