"""API keys of all accounts, as the admin sees and changes them."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from api.access.key_book import Account, NewKey
from api.access.scopes import Role, Scope
from api.chain.calldata import checksum
from api.domain.units import MAX_I64, OperatorId
from api.routes.http.credentials import AdminOfKeys, AdminReader
from api.routes.http.keys import (
    Ended,
    Expiry,
    KeyChangesOut,
    KeyName,
    KeyPath,
    KeysOut,
    MadeKeyOut,
    RevokedOut,
    RevokeIn,
    RotatedOut,
    RotateIn,
    ScopeIn,
    make,
    page_of_changes,
    page_of_keys,
    revoke,
    rotate,
)
from api.routes.http.parameters import Offset, PageLimit
from api.routes.http.problems import errors
from api.routes.http.schemas import Address, Strict, example
from api.routes.http.strict import StrictRoute
from api.routes.service import ServiceDep

router = APIRouter(tags=["admin"], route_class=StrictRoute)
RoleQuery = Annotated[Role | None, Query(description="Only keys of this role; default: all.")]
OperatorQuery = Annotated[
    int | None, Query(ge=1, le=MAX_I64, description="Only this operator's; with role operator.")
]


class AnyKeyIn(Strict):
    """A new key of any account."""

    model_config = example(
        role="attester",
        attester="0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65",
        name="attester-2",
        scopes=["attest", "read"],
    )

    role: Annotated[Role, Field(strict=False)] = Field(description="operator, attester or admin.")
    operator_id: Annotated[int, Field(ge=1, le=MAX_I64)] | None = Field(
        default=None, description="Whose it will be; for role operator alone."
    )
    attester: Address | None = Field(
        default=None,
        description="Account that it speaks for, once and for all; for role attester alone.",
    )
    name: KeyName
    scopes: Annotated[list[ScopeIn], Field(min_length=1, max_length=len(Scope))] = Field(
        description="operator: read, events:write, ledger:write, keys:write. attester: read,"
        " attest. admin: read, operators:write, keys:write, and none that you lack yourself."
    )
    expires_at: Expiry = None


def _account(role: Role | None, operator_id: int | None) -> Account | None:
    """Whose keys are meant; None is everybody's."""
    if role is None and operator_id is None:
        return None
    whose = None if operator_id is None else OperatorId(operator_id)
    return Account(role or Role.OPERATOR, whose)


@router.get("/v1/admin/keys", responses=errors(401, 403, 422))
def list_all_keys(
    service: ServiceDep,
    _admin: AdminReader,
    role: RoleQuery = None,
    operator_id: OperatorQuery = None,
    ended: Ended = False,
    offset: Offset = 0,
    limit: PageLimit = 100,
) -> KeysOut:
    """Keys of everybody or of one account, newest first. The key of the settings is not here."""
    return page_of_keys(
        service, _account(role, operator_id), ended=ended, offset=offset, limit=limit
    )


@router.get("/v1/admin/keys/changes", responses=errors(401, 403, 422))
def list_all_key_changes(
    service: ServiceDep,
    _admin: AdminReader,
    role: RoleQuery = None,
    operator_id: OperatorQuery = None,
    offset: Offset = 0,
    limit: PageLimit = 100,
) -> KeyChangesOut:
    """Who made, rotated and revoked which key, newest first. Nothing leaves this list."""
    return page_of_changes(service, _account(role, operator_id), offset=offset, limit=limit)


@router.post("/v1/admin/keys", status_code=201, responses=errors(400, 401, 403, 404, 409, 413, 422))
def create_any_key(service: ServiceDep, caller: AdminOfKeys, body: AnyKeyIn) -> MadeKeyOut:
    """Make a key for an operator, an attester's process or an admin.

    The secret in the answer is shown this once. 409 has a `reason`: `name_taken`, `too_many_keys`.
    """
    whose = None if body.operator_id is None else OperatorId(body.operator_id)
    account = Account(body.role, whose)
    attester = None if body.attester is None else checksum(body.attester)
    new = NewKey(account, body.name, body.scopes, body.expires_at, attester)
    return make(service, caller, new)


@router.post(
    "/v1/admin/keys/{key_id}/rotate",
    status_code=201,
    responses=errors(400, 401, 403, 404, 409, 413, 422),
)
def rotate_any_key(
    service: ServiceDep, caller: AdminOfKeys, key_id: KeyPath, body: RotateIn | None = None
) -> RotatedOut:
    """Make the successor of a key, with its name, scopes and account; the old one works on for a
    while.

    409 has a `reason`: `key_ending`, `key_over`, `too_many_keys`, `no_account` (an attester's key
    of before, which names none: make another one).
    """
    return rotate(service, caller, None, key_id, body)


@router.post("/v1/admin/keys/{key_id}/revoke", responses=errors(400, 401, 403, 404, 409, 413, 422))
def revoke_any_key(
    service: ServiceDep, caller: AdminOfKeys, key_id: KeyPath, body: RevokeIn | None = None
) -> RevokedOut:
    """End a key: from the next request on, or from a chosen time. Doing it again changes nothing.

    An end can be brought forward, never put off. 409 has the `reason` `last_manager`.
    """
    return revoke(service, caller, None, key_id, body)
