"""Dependencies that read who is calling from headers and cookies; `api.access` judges it."""

import re
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import (
    APIKeyCookie,
    HTTPAuthorizationCredentials,
    HTTPBearer,
    SecurityScopes,
)

from api.access import site
from api.access.keys import Caller, caller_of_key
from api.access.scopes import SCOPES, Role, Scope
from api.access.sessions import Session, current_session, is_csrf_token
from api.access.siwe import Origin
from api.domain import units
from api.domain.log.requests import (
    LOG_HEADER,
    SignedRequest,
    content_digest,
    is_signed,
    read_request,
)
from api.errors import CsrfRefused, Forbidden, SignatureRefused, Unauthorized
from api.ledger.signed import admit
from api.routes.service import Service, ServiceDep

# What is only checked becomes no entry.
_CHECKS = re.compile(r"/check$")
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
        raise Unauthorized("send an API key as `Authorization: Bearer <key>`", reason="missing")
    admin_key = service.settings.admin_key
    return caller_of_key(
        service.engine,
        service.key_uses,
        text=credentials.credentials,
        admin_key=None if admin_key is None else admin_key.get_secret_value(),
        # Not the chain's clock, which a simulation sets.
        now_s=service.session_clock(),
    )


def _with_scope(caller: Caller, wanted: SecurityScopes) -> Caller:
    # A route that names no scope lets nobody through.
    (scope,) = wanted.scopes
    caller.require(Scope(scope))
    return caller


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


def admin(service: ServiceDep, credentials: _Credentials, wanted: SecurityScopes) -> Caller:
    """Dependency: the admin key of the settings, or one with role admin."""
    caller = _caller(service, credentials)
    if caller.role is not Role.ADMIN:
        raise Forbidden("this needs an admin key")
    return _with_scope(caller, wanted)


def operator(
    request: Request,
    service: ServiceDep,
    credentials: _Credentials,
    token: _Token,
    wanted: SecurityScopes,
) -> Caller:
    """Dependency: an operator's key, or a session of its address, which has all its scopes."""
    if credentials is None and token is not None:
        current = session(request, service, token)
        if current.operator_id is None:
            raise Forbidden("this address is not an operator's")
        scopes = SCOPES[Role.OPERATOR]
        return _with_scope(
            Caller(Role.OPERATOR, current.operator_id, scopes, current.address), wanted
        )
    caller = _caller(service, credentials)
    if caller.operator_id is None:
        raise Forbidden("this needs an operator's API key")
    return _with_scope(caller, wanted)


def operator_id(caller: Annotated[Caller, Depends(operator)]) -> units.OperatorId:
    """Dependency: id of the operator that `operator` found."""
    assert caller.operator_id is not None
    return caller.operator_id


@dataclass(frozen=True, slots=True)
class EventsAuthor:
    """Who sends events: an operator's key or session, or the key that signed the request.

    signed, facility_id: of a signed request, whose body is still to be compared with its digest.
    """

    operator_id: units.OperatorId
    signed: SignedRequest | None = None
    facility_id: units.FacilityId = units.FacilityId(0)  # noqa: RUF009  a number

    @property
    def checked(self) -> tuple[units.FacilityId, units.Bytes32] | None:
        """Facility and key of a signed request; None of another."""
        return None if self.signed is None else (self.facility_id, self.signed.author)

    def require_digest(self, request: Request, body: bytes) -> None:
        """Refuse a body that is not the one that was signed. Raises SignatureRefused."""
        if request.headers.get("content-digest") != content_digest(body):
            message = "Content-Digest is not `sha-256=:<base64>:` of the body as sent"
            raise SignatureRefused(message)


def signed_author(
    request: Request, service: Service, *, brings: bool = False, records: bool = True
) -> EventsAuthor:
    """Whose signature a request has. brings, records: as `admit` takes them.

    Raises:  SignatureRefused, SignatureWrong, KeyUnknown, AfterRefused.
    """
    headers = request.headers
    # As it was sent: what a proxy decodes was not signed.
    path = request.scope.get("raw_path", b"").decode("latin-1") or request.url.path
    signed = read_request(headers, path=path.split("?")[0])
    admitted = admit(
        service.log,
        signed,
        name=headers.get(LOG_HEADER, ""),
        digest=headers.get("content-digest", ""),
        brings=brings,
        records=records,
    )
    return EventsAuthor(admitted.operator_id, signed, admitted.facility_id)


def events_author(
    request: Request,
    service: ServiceDep,
    credentials: _Credentials,
    token: _Token,
    wanted: SecurityScopes,
) -> EventsAuthor:
    """Dependency: who sends events. A request that claims a signature is judged by it alone."""
    if is_signed(request.headers):
        return signed_author(request, service, records=not _CHECKS.search(request.url.path))
    return EventsAuthor(operator_id(operator(request, service, credentials, token, wanted)))


def attester(service: ServiceDep, credentials: _Credentials, wanted: SecurityScopes) -> Caller:
    """Dependency: an attester's key; for whom it speaks is judged by `attesters`."""
    caller = _caller(service, credentials)
    if caller.role is not Role.ATTESTER:
        raise Forbidden("this needs an attester's API key")
    return _with_scope(caller, wanted)


# Which scope a route needs: a route with a key takes one of these, or of those of attesters in
# `attesters`, and there is no other way to a caller. `test_scopes.py` walks over all routes.
OperatorReader = Annotated[units.OperatorId, Security(operator_id, scopes=[Scope.READ])]
EventsWriter = Annotated[units.OperatorId, Security(operator_id, scopes=[Scope.EVENTS_WRITE])]
AnyEventsAuthor = Annotated[EventsAuthor, Security(events_author, scopes=[Scope.EVENTS_WRITE])]
LedgerWriter = Annotated[units.OperatorId, Security(operator_id, scopes=[Scope.LEDGER_WRITE])]
KeysReader = Annotated[Caller, Security(operator, scopes=[Scope.READ])]
KeysWriter = Annotated[Caller, Security(operator, scopes=[Scope.KEYS_WRITE])]
AdminReader = Annotated[Caller, Security(admin, scopes=[Scope.READ])]
AdminOfKeys = Annotated[Caller, Security(admin, scopes=[Scope.KEYS_WRITE])]
AdminOfOperators = Annotated[Caller, Security(admin, scopes=[Scope.OPERATORS_WRITE])]
# Its own session, and so no key and no scope.
CurrentSession = Annotated[Session, Depends(session)]
