"""What keys are for, and what they may do: a closed list of scopes for each role."""

from collections.abc import Collection, Mapping
from enum import StrEnum

from api.errors import InvalidInput


class Role(StrEnum):
    """Whose key it is, as stored."""

    ADMIN = "admin"
    OPERATOR = "operator"
    ATTESTER = "attester"


class Scope(StrEnum):
    """One thing that a key may do, as stored and as sent."""

    READ = "read"
    EVENTS_WRITE = "events:write"
    LEDGER_WRITE = "ledger:write"
    KEYS_WRITE = "keys:write"
    OPERATORS_WRITE = "operators:write"
    ATTEST = "attest"


# Every scope that a key of a role can have. A wallet's session has all of its operator's.
SCOPES: Mapping[Role, frozenset[Scope]] = {
    # What an operator sees of itself; metering (all that a collector needs); facilities, leases,
    # prices, disclosures, reopenings and bills; its keys.
    Role.OPERATOR: frozenset(
        {Scope.READ, Scope.EVENTS_WRITE, Scope.LEDGER_WRITE, Scope.KEYS_WRITE}
    ),
    # What is to be signed, with the raw events behind it; signatures.
    Role.ATTESTER: frozenset({Scope.READ, Scope.ATTEST}),
    # Keys of everybody; registering operators; making, rotating and revoking keys of everybody.
    Role.ADMIN: frozenset({Scope.READ, Scope.OPERATORS_WRITE, Scope.KEYS_WRITE}),
}


def check_scopes(role: Role, scopes: Collection[Scope]) -> frozenset[Scope]:
    """Scopes that a key of a role can have, at least one.

    Raises:  InvalidInput.
    """
    wrong = sorted(set(scopes) - SCOPES[role])
    if wrong or not scopes:
        allowed = ", ".join(sorted(SCOPES[role]))
        raise InvalidInput(f"the scopes of an {role} key are some of: {allowed}", field="scopes")
    return frozenset(scopes)


def to_db_scopes(scopes: Collection[Scope]) -> str:
    """Scopes as stored."""
    return " ".join(sorted(scopes))


def from_db_scopes(text: str) -> frozenset[Scope]:
    """Scopes of a stored key. A word that this version does not know gives nothing."""
    words = text.split()
    return frozenset(scope for scope in Scope if scope in words)
