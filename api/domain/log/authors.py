"""Who signed an entry, and whether it may: rules for the service and for whoever recomputes."""

from collections.abc import Sequence
from dataclasses import dataclass

from api.domain.log.entry import EntryKind
from api.domain.log.keys import KeyBody, KeyRole, LogKey, LogKeys, read_key_body
from api.domain.log.requests import SignedRequest, key_text
from api.domain.units import ZERO32, Bytes32
from api.errors import AfterRefused, KeyForbidden, KeyUnknown, SignatureRefused

# An author's clock may be so far ahead of the service's.
CLOCK_S = 120
# The service may have heard so late that the operator named another ledger key.
HEARD_S = 3_600
# Ends of the paths to which requests are sent, after whatever a proxy puts before.
PATHS = {
    EntryKind.BATCH: "/v1/events",
    EntryKind.KEY: "/v1/log/keys",
    EntryKind.KEY_END: "/v1/log/keys/end",
    EntryKind.SUCCESSOR: "/v1/log/successor",
}


@dataclass(frozen=True, slots=True)
class NamedKey:
    """A ledger key that an operator named on-chain, 32 zero bytes for none, and when."""

    key: Bytes32
    named_at_s: int


def require_author(
    keys: LogKeys, request: SignedRequest, kind: EntryKind, body: bytes
) -> tuple[LogKey | None, KeyBody | None]:
    """Who signed, as the log knows it, and what is said of a key; None where there is neither.

    Raises:  KeyUnknown, KeyForbidden, InvalidInput, SignatureRefused.
    """
    if not request.path.endswith(PATHS[kind]):
        raise SignatureRefused(f"it was signed for another path than {PATHS[kind]}")
    said = None if kind is EntryKind.BATCH else read_key_body(body, kind)
    return keys.require_author(request.author, kind, said), said


def require_after(author: LogKey | None, request: SignedRequest) -> None:
    """Refuse a request that does not name its author's newest entry. Raises AfterRefused."""
    last = ZERO32 if author is None else author.last
    if request.after != last:
        raise AfterRefused(f"the key's newest entry here is {last.hex()}: name it as `after`")


def require_clock(request: SignedRequest, *, recorded_at_s: int) -> None:
    """Refuse a signature of the future. Raises SignatureRefused."""
    if request.created_s > recorded_at_s + CLOCK_S:
        message = (
            f"it was signed at {request.created_s}, and it is {recorded_at_s}: check the clock"
        )
        raise SignatureRefused(message)


def role_of(author: LogKey | None) -> KeyRole:
    """What an author is: who is not known yet brings itself, so it is the operator's own key."""
    return KeyRole.LEDGER if author is None else author.role


def require_named(key: Bytes32, named: Sequence[NamedKey], *, recorded_at_s: int) -> None:
    """Refuse a ledger key that the operator had not named by then, or had replaced before.

    Args:    named: all keys that the operator named on-chain, in order.
    Raises:  KeyUnknown, KeyForbidden.
    """
    by_then = [each for each in named if each.named_at_s <= recorded_at_s + CLOCK_S]
    at = max((i for i, each in enumerate(by_then) if each.key == key), default=None)
    if at is None:
        raise KeyUnknown(f"the operator had not named {key_text(key)} on-chain by {recorded_at_s}")
    if at + 1 < len(by_then) and by_then[at + 1].named_at_s + HEARD_S <= recorded_at_s:
        message = f"the operator named another key in place of {key_text(key)} on-chain, before"
        raise KeyForbidden(message)
