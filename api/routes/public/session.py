"""Routes of sign-in: a nonce, a session for a signed message, who is signed in, signing out."""

from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from api.access.nonces import make_nonce
from api.access.sessions import Session, csrf_token, drop_session, find_session
from api.access.sign_in import SESSION_LIFE_S, sign_in
from api.access.siwe import MAX_MESSAGE_CHARS
from api.db.session import reading, write
from api.routes.http.credentials import SESSION_COOKIE, CurrentSession, own_origin, require_own_site
from api.routes.http.problems import errors
from api.routes.http.schemas import Strict
from api.routes.http.strict import StrictRoute
from api.routes.service import ServiceDep

router = APIRouter(tags=["session"], route_class=StrictRoute)


class NonceOut(BaseModel):
    """A nonce for one sign-in message."""

    nonce: str = Field(description="Goes into the message as `Nonce`.")
    issued_at_s: int = Field(description="Now, by the wall clock that judges the message.")
    expires_at_s: int = Field(description="Second from which it is refused, by wall clock.")


class SessionIn(Strict):
    """A signed sign-in message."""

    message: Annotated[str, Field(min_length=1, max_length=MAX_MESSAGE_CHARS)] = Field(
        description="EIP-4361 text, exactly as the wallet signed it."
    )
    signature: Annotated[str, Field(pattern=r"^0x(?:[0-9a-fA-F]{2}){1,4096}$")] = Field(
        description="Signature, 0x-hex: 65 bytes of a key, or what a contract wallet takes."
    )


class SessionOut(BaseModel):
    """Who is signed in."""

    address: str = Field(description="Checksummed address of the wallet.")
    operator_id: int | None = Field(description="Number of the operator with this address.")
    operator_name: str | None = Field(description="Name of the operator with this address.")
    csrf_token: str = Field(description="Send it as `X-CSRF-Token` with what changes something.")
    expires_at_s: int = Field(description="Second at which the session ends, by wall clock.")


def to_api_session(session: Session) -> SessionOut:
    """A session as its own page sees it."""
    return SessionOut(
        address=session.address,
        operator_id=session.operator_id,
        operator_name=session.operator_name,
        csrf_token=csrf_token(session.token),
        expires_at_s=session.expires_at_s,
    )


@router.post("/v1/session/nonce", status_code=201, responses=errors())
def create_nonce(service: ServiceDep) -> NonceOut:
    """Make a nonce. It serves one sign-in within an hour; nothing is stored until it does."""
    now_s = service.session_clock()
    nonce = make_nonce(service.nonce_key, now_s)
    return NonceOut(nonce=nonce.text, issued_at_s=now_s, expires_at_s=nonce.expires_at_s)


@router.post("/v1/session", status_code=201, responses=errors(400, 401, 403, 413, 422))
def create_session(
    request: Request, service: ServiceDep, response: Response, body: SessionIn
) -> SessionOut:
    """Sign in with Ethereum (EIP-4361): by a key, or by a contract wallet (ERC-1271).

    The message's domain and URI must be this site's, its chain the deployment's, its nonce one
    from `POST /v1/session/nonce` that was not used. Sets the cookie `rentroll_session`.
    """
    # No page of another site may sign its visitor in as somebody else (login CSRF).
    require_own_site(request, service)
    origin = own_origin(request, service)
    chain_id = service.deployment.chain_id if service.deployment else service.client.chain_id()
    signed_in = sign_in(
        service.engine,
        service.client,
        text=body.message,
        signature=bytes.fromhex(body.signature[2:]),
        origin=origin,
        chain_id=chain_id,
        nonce_key=service.nonce_key,
        now_s=service.session_clock(),
    )
    response.set_cookie(
        SESSION_COOKIE,
        signed_in.token,
        max_age=SESSION_LIFE_S,
        path="/",
        # A browser drops a Secure cookie of plain HTTP, which local development uses.
        secure=origin.scheme == "https",
        httponly=True,
        samesite="strict",
    )
    with reading(service.engine) as connection:
        session = find_session(connection, signed_in.token, service.session_clock())
    # An address that signs in many times at once may have lost this session already.
    return to_api_session(
        session or Session(signed_in.token, signed_in.address, signed_in.expires_at_s, None, None)
    )


@router.get("/v1/session", responses=errors(401, 403))
def get_session(session: CurrentSession) -> SessionOut:
    """Who is signed in, with the token that changes need."""
    return to_api_session(session)


@router.delete("/v1/session", status_code=204, responses=errors(401, 403))
def delete_session(service: ServiceDep, response: Response, session: CurrentSession) -> None:
    """Sign out: the session is over at once."""
    write(service.engine, lambda c: drop_session(c, session.token))
    response.delete_cookie(SESSION_COOKIE, path="/", httponly=True, samesite="strict")
