"""Who is calling: API keys of operators and attesters, and the admin key."""

import hmac
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy import select

from api.db.session import reading
from api.db.tables import api_keys
from api.domain.hashing import sha256
from api.errors import Forbidden, Unauthorized

_bearer = HTTPBearer(auto_error=False, description="`Authorization: Bearer <API key>`")
_Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated caller. `operator_id` is set for operators only."""

    role: str
    operator_id: int | None


def _caller(request: Request, credentials: HTTPAuthorizationCredentials | None) -> Caller:
    if credentials is None:
        raise Unauthorized("send an API key as `Authorization: Bearer <key>`")
    key = credentials.credentials
    admin = request.app.state.settings.admin_key
    if admin is not None and hmac.compare_digest(key.encode(), admin.get_secret_value().encode()):
        return Caller("admin", None)
    with reading(request.app.state.engine) as connection:
        query = select(api_keys.c.role, api_keys.c.operator_id).where(
            api_keys.c.key_hash == sha256(key.encode()), api_keys.c.revoked_at_s.is_(None)
        )
        row = connection.execute(query).first()
    if row is None:
        raise Unauthorized("the API key is unknown or revoked")
    return Caller(row.role, row.operator_id)


def admin(request: Request, credentials: _Credentials) -> Caller:
    """Dependency: the admin key."""
    caller = _caller(request, credentials)
    if caller.role != "admin":
        raise Forbidden("this needs the admin key")
    return caller


def operator(request: Request, credentials: _Credentials) -> int:
    """Dependency: an operator's key; gives the operator's id."""
    caller = _caller(request, credentials)
    if caller.operator_id is None:
        raise Forbidden("this needs an operator's API key")
    return caller.operator_id


def attester(request: Request, credentials: _Credentials) -> Caller:
    """Dependency: an attester's key."""
    caller = _caller(request, credentials)
    if caller.role != "attester":
        raise Forbidden("this needs an attester's API key")
    return caller


Admin = Annotated[Caller, Depends(admin)]
OperatorId = Annotated[int, Depends(operator)]
AttesterCaller = Annotated[Caller, Depends(attester)]
