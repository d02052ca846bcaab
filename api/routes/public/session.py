"""Routes of sign-in: a nonce, a session for a signed message, who is signed in, signing out."""

from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from api.access.auth import SESSION_COOKIE, CurrentSession, own_origin, require_own_site
from api.access.sessions import csrf_token, drop_session, session_of
from api.access.sign_in import SESSION_LIFE_S, make_nonce, sign_in
from api.access.siwe import MAX_MESSAGE_CHARS
from api.db.session import reading, transaction
from api.routes.http.problems import errors
from api.routes.http.strict import StrictRoute
from api.routes.operator.schemas import Strict

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


@router.post("/v1/session/nonce", status_code=201, responses=errors())
def create_nonce(request: Request) -> NonceOut:
    """Make a nonce. It serves one sign-in within ten minutes."""
    state = request.app.state
    now_s = state.session_clock()
    nonce, expires_at_s = make_nonce(state.engine, now_s)
    return NonceOut(nonce=nonce, issued_at_s=now_s, expires_at_s=expires_at_s)


@router.post("/v1/session", status_code=201, responses=errors(400, 401, 403, 413, 422))
def create_session(request: Request, response: Response, body: SessionIn) -> SessionOut:
    """Sign in with Ethereum (EIP-4361): by a key, or by a contract wallet (ERC-1271).

    The message's domain and URI must be this site's, its chain the deployment's, its nonce one
    from `POST /v1/session/nonce` that was not used. Sets the cookie `rentroll_session`.
    """
    state = request.app.state
    require_own_site(request)
    origin = own_origin(request)
    chain_id = state.deployment.chain_id if state.deployment else state.client.chain_id()
    found = sign_in(
        state.engine,
        state.client,
        text=body.message,
        signature=bytes.fromhex(body.signature[2:]),
        origin=origin,
        chain_id=chain_id,
        now_s=state.session_clock(),
    )
    response.set_cookie(
        SESSION_COOKIE,
        found.token,
        max_age=SESSION_LIFE_S,
        path="/",
        secure=origin.scheme == "https",
        httponly=True,
        samesite="strict",
    )
    with reading(state.engine) as connection:
        row = session_of(connection, found.token, state.session_clock())
    return SessionOut(
        address=found.address,
        operator_id=row.operator_id if row else None,
        operator_name=row.operator_name if row else None,
        csrf_token=csrf_token(found.token),
        expires_at_s=found.expires_at_s,
    )


@router.get("/v1/session", responses=errors(401, 403))
def get_session(session: CurrentSession) -> SessionOut:
    """Who is signed in, with the token that changes need."""
    return SessionOut(
        address=session.address,
        operator_id=session.operator_id,
        operator_name=session.operator_name,
        csrf_token=csrf_token(session.token),
        expires_at_s=session.expires_at_s,
    )


@router.delete("/v1/session", status_code=204, responses=errors(401, 403))
def delete_session(request: Request, response: Response, session: CurrentSession) -> None:
    """Sign out: the session is over at once."""
    with transaction(request.app.state.engine) as connection:
        drop_session(connection, session.token)
    response.delete_cookie(SESSION_COOKIE, path="/", httponly=True, samesite="strict")
