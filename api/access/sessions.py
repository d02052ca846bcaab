"""Nonces that were used, and sessions, which are found by the hash of their token."""

import hmac
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256 as _sha256

from sqlalchemy import Connection, Engine, delete, insert, select
from sqlalchemy.exc import IntegrityError

from api.db.session import reading
from api.db.tables.access import session_nonces, sessions
from api.db.tables.facilities import operators
from api.domain.hashing import sha256
from api.domain.units import OperatorId
from api.errors import Unauthorized

MAX_SESSIONS_OF_AN_ADDRESS = 20
# Ours have 43 characters. What is much longer is none of them and not worth a hash.
MAX_TOKEN_CHARS = 200


def is_used(connection: Connection, stem: str) -> bool:
    """Whether a nonce has served a sign-in. stem: what of it is unique."""
    query = select(session_nonces.c.nonce).where(session_nonces.c.nonce == stem)
    return connection.execute(query).first() is not None


def use_nonce(connection: Connection, stem: str, *, expires_at_s: int, now_s: int) -> bool:
    """Use a nonce up; of two requests at once, one gets True. Expired ones are forgotten."""
    connection.execute(delete(session_nonces).where(session_nonces.c.expires_at_s <= now_s))
    try:
        with connection.begin_nested():
            connection.execute(insert(session_nonces).values(nonce=stem, expires_at_s=expires_at_s))
    except IntegrityError:
        return False
    return True


def add_session(
    connection: Connection, token: str, *, address: str, now_s: int, expires_at_s: int
) -> None:
    """Store a session; forget the expired, and an address's oldest above the limit."""
    connection.execute(delete(sessions).where(sessions.c.expires_at_s <= now_s))
    newest = (
        select(sessions.c.token_hash)
        .where(sessions.c.address == address)
        .order_by(sessions.c.expires_at_s.desc())
        # One less than the limit: the new session follows.
        .offset(MAX_SESSIONS_OF_AN_ADDRESS - 1)
    )
    surplus = list(connection.execute(newest).scalars())
    if surplus:
        connection.execute(delete(sessions).where(sessions.c.token_hash.in_(surplus)))
    values = {
        "token_hash": sha256(token.encode()),
        "address": address,
        "created_at_s": now_s,
        "expires_at_s": expires_at_s,
    }
    connection.execute(insert(sessions), values)


@dataclass(frozen=True, slots=True)
class Session:
    """A wallet that signed in. The operator is None unless the address is an operator's."""

    token: str
    address: str
    expires_at_s: int
    operator_id: OperatorId | None
    operator_name: str | None


def find_session(connection: Connection, token: str, now_s: int) -> Session | None:
    """Session of a token; None unless it is known and not expired."""
    query = (
        select(
            sessions.c.address,
            sessions.c.expires_at_s,
            operators.c.operator_id,
            operators.c.name,
        )
        # Both are stored with their EIP-55 checksum, so equal addresses are equal texts.
        .outerjoin(operators, operators.c.address == sessions.c.address)
        .where(sessions.c.token_hash == sha256(token.encode()), sessions.c.expires_at_s > now_s)
    )
    stored = connection.execute(query).first()
    return None if stored is None else Session(token, *stored)


def current_session(engine: Engine, token: str, now_s: int) -> Session:
    """Session of a token that a browser sent. Raises Unauthorized."""
    if len(token) > MAX_TOKEN_CHARS:
        raise Unauthorized("sign in first, or send an API key as `Authorization: Bearer <key>`")
    with reading(engine) as connection:
        session = find_session(connection, token, now_s)
    if session is None:
        raise Unauthorized("the session is unknown or over: sign in again")
    return session


def drop_session(connection: Connection, token: str) -> None:
    """Forget a session."""
    connection.execute(delete(sessions).where(sessions.c.token_hash == sha256(token.encode())))


def csrf_token(token: str) -> str:
    """Token that a page repeats in a header; derived from the session's, without revealing it."""
    digest = hmac.new(token.encode(), b"rentroll csrf", _sha256).digest()
    return urlsafe_b64encode(digest).rstrip(b"=").decode()


def is_csrf_token(*, token: str, sent: str) -> bool:
    """Whether a page sent the token that belongs to its session's."""
    return hmac.compare_digest(sent.encode(), csrf_token(token).encode())
