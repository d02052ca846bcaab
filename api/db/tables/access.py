"""Tables of sign-in: nonces that were handed out, and sessions."""

from sqlalchemy import BigInteger, Column, Named, String, Table

from api.db.tables.base import metadata
from api.db.tables.columns import RAW32, Columns
from api.domain.units import Bytes32


class SessionNonceColumns(Columns):
    """Columns of `session_nonces`."""

    nonce: Named[str] = Column(String(64), primary_key=True)
    expires_at_s: Named[int] = Column(BigInteger, index=True)


session_nonces = Table("session_nonces", metadata, SessionNonceColumns)


class SessionColumns(Columns):
    """Columns of `sessions`."""

    token_hash: Named[Bytes32] = Column(RAW32, primary_key=True)  # SHA-256 of the cookie's value
    address: Named[str] = Column(String(42), index=True)
    created_at_s: Named[int] = Column(BigInteger)
    expires_at_s: Named[int] = Column(BigInteger, index=True)


sessions = Table("sessions", metadata, SessionColumns)
