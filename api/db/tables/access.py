"""Tables of who may call: API keys and what became of them, sign-in nonces, sessions."""

from dataclasses import dataclass

from sqlalchemy import BigInteger, Column, ForeignKey, Named, String, Table

from api.db.rows import part_of, record_of
from api.db.tables.base import metadata
from api.db.tables.columns import KEY_ID, PRIMARY_KEY, RAW32, Columns
from api.db.tables.facilities import operators
from api.domain.units import Bytes32, KeyId, OperatorId


class ApiKeyColumns(Columns):
    """Columns of `api_keys`."""

    key_id: Named[KeyId] = Column(KEY_ID, primary_key=True)
    key_hash: Named[Bytes32] = Column(RAW32, unique=True)  # SHA-256 of the whole key
    role: Named[str] = Column(String(16))  # admin, attester, operator
    operator_id: Named[OperatorId | None] = Column(
        PRIMARY_KEY, ForeignKey(operators.c.operator_id), index=True
    )
    name: Named[str] = Column(String(80))
    scopes: Named[str] = Column(String(200))  # in alphabetical order, with a space between
    created_at_s: Named[int] = Column(BigInteger)
    last_used_s: Named[int | None] = Column(BigInteger)
    expires_at_s: Named[int | None] = Column(BigInteger)
    revoked_at_s: Named[int | None] = Column(BigInteger)  # may lie ahead
    successor_id: Named[KeyId | None] = Column(KEY_ID)
    attester: Named[str | None] = Column(String(42))  # of role attester: whom it speaks for


api_keys = Table("api_keys", metadata, ApiKeyColumns)


@record_of(api_keys)
@dataclass(frozen=True, slots=True)
class ApiKeyRow:
    """An API key; only an operator's belongs to an operator, only an attester's names an account.

    attester: with its EIP-55 checksum; None also of an attester's key that is older than this.
    """

    key_id: KeyId
    key_hash: Bytes32
    role: str
    operator_id: OperatorId | None
    name: str
    scopes: str
    created_at_s: int
    last_used_s: int | None = None
    expires_at_s: int | None = None
    revoked_at_s: int | None = None
    successor_id: KeyId | None = None
    attester: str | None = None


class KeyChangeColumns(Columns):
    """Columns of `api_key_changes`."""

    change_id: Named[int] = Column(PRIMARY_KEY, primary_key=True)
    key_id: Named[KeyId] = Column(KEY_ID, ForeignKey(api_keys.c.key_id), index=True)
    change: Named[str] = Column(String(16))  # created, rotated, revoked
    actor: Named[str] = Column(String(80))
    at_s: Named[int] = Column(BigInteger)
    ends_at_s: Named[int | None] = Column(BigInteger)  # when the key stops working, as said then


api_key_changes = Table("api_key_changes", metadata, KeyChangeColumns)


@part_of(api_key_changes)
@dataclass(frozen=True, slots=True)
class NewKeyChange:
    """A change of a key, to be written. Rows never change."""

    key_id: KeyId
    change: str
    actor: str
    at_s: int
    ends_at_s: int | None = None


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
