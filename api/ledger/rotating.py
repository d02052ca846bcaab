"""The log's own key names its successor: an entry that it signs itself, once."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from api.chain.ledger_keys import NamedNow
from api.db.facilities import known_facility_row
from api.db.session import reading
from api.domain.log.authors import PATHS
from api.domain.log.entry import EntryKind
from api.domain.log.keys import LogKeys, successor_body
from api.domain.log.receipts import Receipt
from api.domain.log.requests import SignedRequest, key_text, read_request, sign_request
from api.domain.statements.evidence_reader import terms_from_bytes
from api.domain.units import Bytes32, FacilityId
from api.errors import Conflict, Misconfigured
from api.ledger.recorder import Log, keys_of
from api.ledger.signed import SignedEvents, record_signed
from api.ledger.write import SignedBody

_JSON = "application/json"


def present_key(log: Log, facility_id: FacilityId) -> Bytes32:
    """The key that signs a log's receipts now.

    Raises:  NotFound; Conflict of a log without any.
    """
    with reading(log.engine) as connection:
        terms = terms_from_bytes(known_facility_row(connection, facility_id).terms_json)
        key = keys_of(connection, terms).log
    if key is None:
        raise Conflict(f"log {terms.log} gives no receipts: it has no key")
    return key.key


def name_successor(
    log: Log, facility_id: FacilityId, new: Ed25519PrivateKey
) -> tuple[Receipt, SignedRequest]:
    """Let the log's key name the one that signs after it.

    Returns: the receipt of the entry, and what the key signed.

    Raises:  Misconfigured where the log's key is not here: it is lost; LogBehind; KeyForbidden of
             a key that was one of this log's before.
    """
    public = Bytes32(new.public_key().public_bytes_raw())
    with reading(log.engine) as connection:
        terms = terms_from_bytes(known_facility_row(connection, facility_id).terms_json)
        keys: LogKeys = keys_of(connection, terms)
    before = keys.log
    own = None if before is None else log.ring.of(before.key)
    if before is None or own is None:
        message = (
            "the key of this log is not here. If it is lost, let the operator's ledger key name"
            f" the one that is: `rentroll ledger-key log-key {facility_id} {key_text(public)}`"
        )
        raise Misconfigured(message, facility_id=facility_id)
    body, path = successor_body(public), PATHS[EntryKind.SUCCESSOR]
    headers = sign_request(
        own,
        path=path,
        content_type=_JSON,
        body=body,
        log=terms.log,
        after=before.last,
        created_s=log.clock(),
    )
    request = read_request(headers, path=path)
    signed = SignedBody(facility_id, request, body, EntryKind.SUCCESSOR)
    return record_signed(log, signed, SignedEvents(), named_now=_nobody).receipt, request


def _nobody(_operator: str, _key: Bytes32) -> NamedNow | None:
    """The log's own key is named by nobody's address."""
    return None
