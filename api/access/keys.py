"""API keys: of operators and attesters, stored as hashes, and the admin's, which is a setting."""

import hmac
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Engine, select

from api.db.session import reading
from api.db.tables.facilities import api_keys
from api.domain.hashing import sha256
from api.domain.units import OperatorId
from api.errors import Unauthorized


class Role(StrEnum):
    """What a key is for, as stored."""

    ADMIN = "admin"
    OPERATOR = "operator"
    ATTESTER = "attester"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who holds a key. `operator_id` is None unless the role is operator."""

    role: Role
    operator_id: OperatorId | None


def caller_of_key(engine: Engine, *, key: str, admin_key: str | None) -> Caller:
    """Whose key it is; without an admin key nobody is the admin.

    Raises:  Unauthorized if it is unknown or revoked.
    """
    if admin_key is not None and hmac.compare_digest(key.encode(), admin_key.encode()):
        return Caller(Role.ADMIN, None)
    # Looked up by its hash, so that the time of a comparison tells nothing of a key.
    query = select(api_keys.c.role, api_keys.c.operator_id).where(
        api_keys.c.key_hash == sha256(key.encode()), api_keys.c.revoked_at_s.is_(None)
    )
    with reading(engine) as connection:
        stored = connection.execute(query).first()
    if stored is None:
        raise Unauthorized("the API key is unknown or revoked")
    role, operator_id = stored
    return Caller(Role(role), operator_id)
