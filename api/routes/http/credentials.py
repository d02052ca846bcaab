"""Dependencies that read who is calling from headers and cookies; `api.access` judges it."""

from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer

from api.access import site
from api.access.keys import Caller, Role, caller_of_key
from api.access.sessions import Session, current_session, is_csrf_token
from api.access.siwe import Origin
from api.domain import units
from api.errors import CsrfRefused, Forbidden, Unauthorized
from api.routes.service import Service, ServiceDep

SESSION_COOKIE = "rentroll_session"
CSRF_HEADER = "X-CSRF-Token"
# Source: RFC 9110 §9.2.1. They change nothing, so a foreign page gains nothing by sending them.
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

_bearer = HTTPBearer(auto_error=False, description="`Authorization: Bearer <API key>`")
_Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
_cookie = APIKeyCookie(
    name=SESSION_COOKIE, auto_error=False, description="Session of a wallet: `POST /v1/session`."
)
_Token = Annotated[str | None, Depends(_cookie)]


def _caller(service: Service, credentials: HTTPAuthorizationCredentials | None) -> Caller:
    if credentials is None:
        raise Unauthorized("send an API key as `Authorization: Bearer <key>`")
    admin_key = service.settings.admin_key
    return caller_of_key(
        service.engine,
        key=credentials.credentials,
        admin_key=None if admin_key is None else admin_key.get_secret_value(),
    )


def own_origin(request: Request, service: Service) -> Origin:
    """Where our pages live: the setting, or on this machine the request's URL.

    Raises:  Misconfigured.
    """
    return site.own_origin(
        public_url=service.settings.public_url,
        asked_url=f"{request.url.scheme}://{request.headers.get('host', '')}",
    )


def require_own_site(request: Request, service: Service) -> None:
    """Refuse a request that a browser sends for another site's page. Raises CsrfRefused."""
    # Browsers send Origin with every request that changes something. A client without it is no
    # browser, and no other site's page can make it send a cookie.
    sent = request.headers.get("origin")
    if sent is not None:
        site.require_own_site(own_origin(request, service), sent=sent)


def session(request: Request, service: ServiceDep, token: _Token) -> Session:
    """Dependency: the session of a cookie. What changes something also sends its CSRF token."""
    if token is None:
        raise Unauthorized("sign in first, or send an API key as `Authorization: Bearer <key>`")
    current = current_session(service.engine, token, service.session_clock())
    if request.method not in _SAFE_METHODS:
        require_own_site(request, service)
        sent = request.headers.get(CSRF_HEADER, "")
        if not is_csrf_token(token=token, sent=sent):
            raise CsrfRefused(f"send the session's csrf_token as {CSRF_HEADER}")
    return current


def admin(service: ServiceDep, credentials: _Credentials) -> Caller:
    """Dependency: the admin key."""
    caller = _caller(service, credentials)
    if caller.role is not Role.ADMIN:
        raise Forbidden("this needs the admin key")
    return caller


def operator(
    request: Request, service: ServiceDep, credentials: _Credentials, token: _Token
) -> units.OperatorId:
    """Dependency: an operator's key, or a session of its address; gives the operator's id."""
    if credentials is None and token is not None:
        operator_id = session(request, service, token).operator_id
        if operator_id is None:
            raise Forbidden("this address is not an operator's")
        return operator_id
    caller = _caller(service, credentials)
    if caller.operator_id is None:
        raise Forbidden("this needs an operator's API key")
    return caller.operator_id


def attester(service: ServiceDep, credentials: _Credentials) -> Caller:
    """Dependency: an attester's key."""
    caller = _caller(service, credentials)
    if caller.role is not Role.ATTESTER:
        raise Forbidden("this needs an attester's API key")
    return caller


Admin = Annotated[Caller, Depends(admin)]
OperatorId = Annotated[units.OperatorId, Depends(operator)]
AttesterCaller = Annotated[Caller, Depends(attester)]
CurrentSession = Annotated[Session, Depends(session)]
