"""Who is calling: API keys of operators and attesters, the admin key, and sessions by cookie."""

import hmac
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy import select

from api.access import sessions
from api.access.siwe import Origin, origin_of
from api.db.session import reading
from api.db.tables.ledger import api_keys
from api.domain.hashing import sha256
from api.errors import CsrfRefused, Forbidden, Misconfigured, Unauthorized

SESSION_COOKIE = "rentroll_session"
CSRF_HEADER = "X-CSRF-Token"
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

_bearer = HTTPBearer(auto_error=False, description="`Authorization: Bearer <API key>`")
_Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
_cookie = APIKeyCookie(
    name=SESSION_COOKIE, auto_error=False, description="Session of a wallet: `POST /v1/session`."
)
_Token = Annotated[str | None, Depends(_cookie)]


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


@dataclass(frozen=True, slots=True)
class Session:
    """A wallet that signed in. The operator is None unless the address is an operator's."""

    token: str
    address: str
    expires_at_s: int
    operator_id: int | None
    operator_name: str | None


def own_origin(request: Request) -> Origin:
    """Where our pages live: the setting, or the request's own host on this machine.

    Anywhere else a Host header proves nothing: a site that relays its visitors' signatures
    would name itself in it. Raises Misconfigured.
    """
    public_url = request.app.state.settings.public_url
    if public_url is not None:
        found = origin_of(public_url)
    else:
        found = origin_of(f"{request.url.scheme}://{request.headers.get('host', '')}")
        found = found if found is not None and found.host in _LOOPBACK else None
    if found is None:
        raise Misconfigured("set RENTROLL_PUBLIC_URL to where this service is reached")
    return found


def require_own_site(request: Request) -> None:
    """Refuse a request that a browser sends for another site's page. Raises CsrfRefused."""
    sent = request.headers.get("origin")
    if sent is not None and origin_of(sent) != own_origin(request):
        raise CsrfRefused("the request comes from another site's page")


def session(request: Request, token: _Token) -> Session:
    """Dependency: a session by cookie; what changes something needs its CSRF token too."""
    # Longer than any of ours: not worth a hash.
    if token is None or len(token) > 200:
        raise Unauthorized("sign in first, or send an API key as `Authorization: Bearer <key>`")
    state = request.app.state
    with reading(state.engine) as connection:
        row = sessions.session_of(connection, token, state.session_clock())
    if row is None:
        raise Unauthorized("the session is unknown or over: sign in again")
    if request.method not in _SAFE_METHODS:
        require_own_site(request)
        sent = request.headers.get(CSRF_HEADER, "")
        if not hmac.compare_digest(sent.encode(), sessions.csrf_token(token).encode()):
            raise CsrfRefused(f"send the session's csrf_token as {CSRF_HEADER}")
    return Session(token, row.address, row.expires_at_s, row.operator_id, row.operator_name)


def admin(request: Request, credentials: _Credentials) -> Caller:
    """Dependency: the admin key."""
    caller = _caller(request, credentials)
    if caller.role != "admin":
        raise Forbidden("this needs the admin key")
    return caller


def operator(request: Request, credentials: _Credentials, token: _Token) -> int:
    """Dependency: an operator's key, or a session of its address; gives the operator's id."""
    if credentials is None and token is not None:
        operator_id = session(request, token).operator_id
        if operator_id is None:
            raise Forbidden("this address is not an operator's")
        return operator_id
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
CurrentSession = Annotated[Session, Depends(session)]
