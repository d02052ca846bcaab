"""Tables of sign-in: nonces that were handed out, and sessions."""

from sqlalchemy import BigInteger, Column, LargeBinary, String, Table

from api.db.tables.ledger import metadata

session_nonces = Table(
    "session_nonces",
    metadata,
    Column("nonce", String(64), primary_key=True),
    Column("expires_at_s", BigInteger, nullable=False, index=True),
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_hash", LargeBinary(32), primary_key=True),  # SHA-256 of the cookie's value
    Column("address", String(42), nullable=False, index=True),
    Column("created_at_s", BigInteger, nullable=False),
    Column("expires_at_s", BigInteger, nullable=False, index=True),
)
