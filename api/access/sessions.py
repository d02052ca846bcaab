"""SQL of sign-in: nonces used once, sessions found by the hash of their token."""

import hmac
from base64 import urlsafe_b64encode
from hashlib import sha256 as _sha256
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select

from api.db.tables.access import session_nonces, sessions
from api.db.tables.ledger import operators
from api.domain.hashing import sha256

# Nobody needs a key for a nonce: a flood must not fill the disk. The oldest go first.
MAX_NONCES = 10_000
MAX_SESSIONS_OF_AN_ADDRESS = 20


def add_nonce(connection: Connection, nonce: str, *, expires_at_s: int, now_s: int) -> None:
    """Remember a nonce; forget those that expired, and the oldest above the limit."""
    expired = session_nonces.c.expires_at_s <= now_s
    connection.execute(delete(session_nonces).where(expired))
    count = connection.execute(select(func.count()).select_from(session_nonces)).scalar_one()
    if count >= MAX_NONCES:
        oldest = select(session_nonces.c.nonce).order_by(session_nonces.c.expires_at_s)
        doomed = oldest.limit(count - MAX_NONCES + 1).scalar_subquery()
        connection.execute(delete(session_nonces).where(session_nonces.c.nonce.in_(doomed)))
    connection.execute(insert(session_nonces).values(nonce=nonce, expires_at_s=expires_at_s))


def _live_nonce(nonce: str, now_s: int) -> tuple[Any, ...]:
    return (session_nonces.c.nonce == nonce, session_nonces.c.expires_at_s > now_s)


def knows_nonce(connection: Connection, nonce: str, now_s: int) -> bool:
    """Whether a nonce is ours, unused and not expired."""
    query = select(session_nonces.c.nonce).where(*_live_nonce(nonce, now_s))
    return connection.execute(query).first() is not None


def use_nonce(connection: Connection, nonce: str, now_s: int) -> bool:
    """Use a nonce up; of two requests at once, one gets True."""
    used = delete(session_nonces).where(*_live_nonce(nonce, now_s))
    return connection.execute(used).rowcount == 1


def add_session(
    connection: Connection, token: str, *, address: str, now_s: int, expires_at_s: int
) -> None:
    """Store a session; forget the expired, and an address's oldest above the limit."""
    connection.execute(delete(sessions).where(sessions.c.expires_at_s <= now_s))
    newest = (
        select(sessions.c.token_hash)
        .where(sessions.c.address == address)
        .order_by(sessions.c.expires_at_s.desc())
        .offset(MAX_SESSIONS_OF_AN_ADDRESS - 1)
    )
    surplus = [row[0] for row in connection.execute(newest)]
    if surplus:
        connection.execute(delete(sessions).where(sessions.c.token_hash.in_(surplus)))
    values = {
        "token_hash": sha256(token.encode()),
        "address": address,
        "created_at_s": now_s,
        "expires_at_s": expires_at_s,
    }
    connection.execute(insert(sessions), values)


def session_of(connection: Connection, token: str, now_s: int) -> Any:
    """Address, expiry and operator (or None) of a token that is known and not expired; or None."""
    query = (
        select(
            sessions.c.address,
            sessions.c.expires_at_s,
            operators.c.operator_id,
            operators.c.name.label("operator_name"),
        )
        .outerjoin(operators, operators.c.address == sessions.c.address)
        .where(sessions.c.token_hash == sha256(token.encode()), sessions.c.expires_at_s > now_s)
    )
    return connection.execute(query).first()


def drop_session(connection: Connection, token: str) -> None:
    """Forget a session."""
    connection.execute(delete(sessions).where(sessions.c.token_hash == sha256(token.encode())))


def csrf_token(token: str) -> str:
    """Token that a page repeats in a header: made from the session's, and says nothing of it."""
    digest = hmac.new(token.encode(), b"rentroll csrf", _sha256).digest()
    return urlsafe_b64encode(digest).rstrip(b"=").decode()
