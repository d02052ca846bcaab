"""An operator's own API keys: list, make, rotate, revoke, and who did what."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from api.access.key_book import Account, NewKey
from api.access.keys import Caller
from api.access.scopes import Role, Scope
from api.routes.http.credentials import KeysReader, KeysWriter
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
from api.routes.http.schemas import Strict, example
from api.routes.http.strict import StrictRoute
from api.routes.service import ServiceDep

router = APIRouter(tags=["operator"], route_class=StrictRoute)


class KeyIn(Strict):
    """A new key of the operator."""

    model_config = example(name="collector-oslo", scopes=[Scope.EVENTS_WRITE.value])

    name: KeyName
    scopes: Annotated[list[ScopeIn], Field(min_length=1, max_length=len(Scope))] = Field(
        description="read, events:write (all that a collector needs), ledger:write (facilities,"
        " leases, prices, disclosures, reopenings, bills) or keys:write; none that you lack."
    )
    expires_at: Expiry = None


def _account(caller: Caller) -> Account:
    return Account(Role.OPERATOR, caller.operator_id)


@router.get("/v1/keys", responses=errors(401, 403, 422))
def list_api_keys(
    service: ServiceDep,
    caller: KeysReader,
    ended: Ended = False,
    offset: Offset = 0,
    limit: PageLimit = 100,
) -> KeysOut:
    """Your API keys, newest first. Secrets are not shown: nobody has them."""
    return page_of_keys(service, _account(caller), ended=ended, offset=offset, limit=limit)


@router.get("/v1/keys/changes", responses=errors(401, 403, 422))
def list_api_key_changes(
    service: ServiceDep, caller: KeysReader, offset: Offset = 0, limit: PageLimit = 100
) -> KeyChangesOut:
    """Who made, rotated and revoked which of your keys, newest first. Nothing leaves this list."""
    return page_of_changes(service, _account(caller), offset=offset, limit=limit)


@router.post("/v1/keys", status_code=201, responses=errors(400, 401, 403, 404, 409, 413, 422))
def create_api_key(service: ServiceDep, caller: KeysWriter, body: KeyIn) -> MadeKeyOut:
    """Make a key. The secret in the answer is shown this once.

    It gets no scope that you lack (403 `scope_missing`), its name is free among your live keys
    (409, `reason` `name_taken`), and 50 of them are enough (409, `too_many_keys`).
    """
    new = NewKey(_account(caller), body.name, body.scopes, body.expires_at)
    return make(service, caller, new)


@router.post(
    "/v1/keys/{key_id}/rotate", status_code=201, responses=errors(400, 401, 403, 404, 409, 413, 422)
)
def rotate_api_key(
    service: ServiceDep, caller: KeysWriter, key_id: KeyPath, body: RotateIn | None = None
) -> RotatedOut:
    """Make the successor of a key, with its name and scopes; the old one works on for a while.

    So nothing stops while you bring the new key to where the old one is. You need each of its
    scopes yourself (403 `scope_missing`). One that has an end cannot be rotated (409, `reason`
    `key_ending` or `key_over`).
    """
    return rotate(service, caller, _account(caller), key_id, body)


@router.post("/v1/keys/{key_id}/revoke", responses=errors(400, 401, 403, 404, 409, 413, 422))
def revoke_api_key(
    service: ServiceDep, caller: KeysWriter, key_id: KeyPath, body: RevokeIn | None = None
) -> RevokedOut:
    """End a key: from the next request on, or from a chosen time. Doing it again changes nothing.

    An end can be brought forward, never put off. Where a key ends itself and no other live one
    may manage keys, say `also_last` (409, `reason` `last_manager`): then your wallet's session,
    or the admin, makes the next.
    """
    return revoke(service, caller, _account(caller), key_id, body)
