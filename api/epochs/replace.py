"""Replace: signatures of a panel over a pledge in another's place, which its operator sends.

`PledgeRegistry.replace` takes it from the facility's operator alone. So no worker sends it: once
enough of the panel signed, the operator is shown the transaction for its wallet.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, Engine

from api.chain import calldata
from api.chain.contracts import Contracts
from api.chain.erc1271 import signed_by
from api.chain.panels import counting, panel_of, require_counting
from api.chain.running import running_of
from api.db import replacements as store
from api.db.facilities import known_facility_row
from api.db.session import reading, transaction
from api.db.tables.replacements import ReplacementRow, ReplacementSignature
from api.domain.facility import FacilityTerms
from api.domain.pledges import PledgeApproval, approval_digest
from api.domain.statements.evidence_reader import terms_from_bytes
from api.domain.units import Bytes32, FacilityId
from api.epochs.approve import Collected
from api.errors import Conflict, InvalidInput, Misconfigured, NotFound
from api.ledger.rosters import Replacement, replacements_in


@dataclass(frozen=True, slots=True)
class UnsignedReplacements:
    """Replacements that an attester is asked to look at, and how many pledges were approved."""

    approvals: int
    replacements: tuple[Replacement, ...]


@dataclass(frozen=True, slots=True)
class Transaction:
    """What the operator's wallet sends."""

    to: str
    data: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A replacement as its operator sees it.

    signatures: that count now, of as many as the panel needs; None where no node answers for it.
    transaction: to be sent by the operator before the epoch begins, once there are enough.
    """

    replacement: Replacement
    signatures: int | None = None
    threshold: int | None = None
    transaction: Transaction | None = None


def unsigned_replacements(
    engine: Engine, contracts: Contracts | None, attester: str
) -> UnsignedReplacements:
    """Replacements on an account's panels that lack a signature of it that counts now.

    Raises:  ChainUnavailable.
    """
    with reading(engine) as connection:
        ids = store.facilities_with_replacements(connection)
    if contracts is None or not ids:
        return UnsignedReplacements(0, ())
    head = contracts.client.head()
    approvals = contracts.pledge_registry.approvals().at(block=head.number)
    found = []
    for facility_id in ids:
        with reading(engine) as connection:
            waiting = _waiting(connection, facility_id, now_s=head.time_s)
            known = {} if waiting is None else _signatures(connection, waiting, approvals)
        if waiting is None or attester in known:
            continue
        if panel_of(contracts, facility_id, block=head.number).seats(attester):
            found.append(waiting)
    return UnsignedReplacements(approvals, tuple(found))


def accept_replacement_signature(
    engine: Engine,
    contracts: Contracts | None,
    *,
    facility_id: FacilityId,
    root: Bytes32,
    attester: str,
    approvals: int,
    signature: bytes,
    now_s: int,
) -> Collected:
    """Check and store one signature over a replacement.

    Raises:  NotFound, Conflict for one that waits for no approval any more or that was signed
             before another approval, InvalidInput for a signature that does not count,
             ChainUnavailable, Misconfigured without a deployment.
    """
    if contracts is None:
        raise Misconfigured("there is no deployment file: signatures cannot be checked")
    head = contracts.client.head()
    with reading(engine) as connection:
        terms = _terms(connection, facility_id)
        all_of = replacements_in(connection, terms, now_s=head.time_s)
    found = next((r for r in all_of if r.row.pledge_root == root), None)
    if found is None:
        message = f"facility {facility_id} has no replacement with this root"
        raise NotFound(message, facility_id=facility_id)
    if not found.pending:
        message = f"the replacement from epoch {found.row.from_epoch} is {found.state.value}"
        raise Conflict(message, reason="pledge_not_waiting")
    current = contracts.pledge_registry.approvals().at(block=head.number)
    if approvals != current:
        message = (
            f"another pledge was approved meanwhile: {current} were so far, not {approvals}."
            " Look again and sign anew"
        )
        raise Conflict(message, reason="pledge_signature_void", approvals=current)
    panel = panel_of(contracts, facility_id, block=head.number)
    digest = _digest(contracts, terms, found.row, approvals=approvals)
    if not signed_by(contracts.client, attester, digest, signature):
        message = "the signature is not this account's over this pledge"
        raise InvalidInput(message, field="signature")
    require_counting(contracts, panel, attester, block=head.number)
    with transaction(engine) as connection:
        known = _signatures(connection, found, approvals)
        if attester in known:
            return Collected(False, len(known), panel.threshold)
        key = found.row.replacement_pk
        row = ReplacementSignature(key, attester, approvals, signature, now_s)
        store.save_replacement_signature(connection, row)
    return Collected(True, len(known) + 1, panel.threshold)


def shown_replacements(
    engine: Engine, contracts: Contracts | None, facility_id: FacilityId
) -> list[Shown]:
    """What was asked for in a facility, and how far it came; the one that waits with what its
    operator sends, once enough of the panel signed.

    Raises:  NotFound, ChainUnavailable.
    """
    with reading(engine) as connection:
        found = replacements_in(connection, _terms(connection, facility_id))
    return [
        Shown(each) if contracts is None or not each.pending else _shown(engine, contracts, each)
        for each in found
    ]


def _shown(engine: Engine, contracts: Contracts, waiting: Replacement) -> Shown:
    row = waiting.row
    block = contracts.client.head().number
    approvals = contracts.pledge_registry.approvals().at(block=block)
    with reading(engine) as connection:
        known = _signatures(connection, waiting, approvals)
        terms = _terms(connection, row.facility_id)
    panel = panel_of(contracts, row.facility_id, block=block)
    digest = _digest(contracts, terms, row, approvals=approvals)
    signatures = counting(contracts, panel, known, digest=digest, block=block)
    shown = Shown(waiting, len(signatures), panel.threshold)
    late = row.from_epoch < running_of(contracts, row.facility_id).least(terms)
    if late or panel.threshold == 0 or len(signatures) < panel.threshold:
        return shown
    least = signatures.least(panel.threshold)
    data = calldata.replace(row.facility_id, row.pledge_root, row.from_epoch, least)
    sent = Transaction(contracts.deployment.pledge_registry, data)
    return Shown(waiting, len(signatures), panel.threshold, sent)


def _digest(
    contracts: Contracts, terms: FacilityTerms, row: ReplacementRow, *, approvals: int
) -> bytes:
    """What attesters sign of a replacement, after so many approvals."""
    pledge = row.facility_id, row.pledge_root, terms.device_count, row.from_epoch, approvals
    return approval_digest(
        PledgeApproval(*pledge),
        chain_id=contracts.deployment.chain_id,
        registry=contracts.deployment.pledge_registry,
    )


def _terms(connection: Connection, facility_id: FacilityId) -> FacilityTerms:
    return terms_from_bytes(known_facility_row(connection, facility_id).terms_json)


def _waiting(connection: Connection, facility_id: FacilityId, *, now_s: int) -> Replacement | None:
    found = replacements_in(connection, _terms(connection, facility_id), now_s=now_s)
    return next((r for r in found if r.pending), None)


def _signatures(connection: Connection, waiting: Replacement, approvals: int) -> dict[str, bytes]:
    key = waiting.row.replacement_pk
    return store.replacement_signatures_of(connection, key, approvals=approvals)
