"""Approve: signatures of a panel over the pledge of an offer are collected, then sent as one."""

from dataclasses import dataclass

from sqlalchemy import Engine

from api.chain import calldata
from api.chain.contracts import Contracts
from api.chain.erc1271 import signed_by
from api.chain.panels import counting, panel_of, require_counting
from api.db import pledges as store
from api.db.facilities import known_facility_row
from api.db.pledges import WaitingPledge
from api.db.session import reading, transaction
from api.db.tables.pledges import PledgeSignature
from api.domain.lifecycle import FacilityState
from api.domain.pledges import OFFER_EPOCH, PledgeApproval, approval_digest
from api.domain.units import Epoch, FacilityId
from api.epochs.outbox import Intent
from api.errors import Conflict, InvalidInput, Misconfigured


@dataclass(frozen=True, slots=True)
class Collected:
    """What became of a signature: whether it is new, how many there are and how many it takes."""

    created: bool
    signatures: int
    threshold: int


@dataclass(frozen=True, slots=True)
class Unsigned:
    """Pledges that an attester is asked to look at, and how many were approved so far."""

    approvals: int
    pledges: tuple[WaitingPledge, ...]


def unsigned_pledges(engine: Engine, contracts: Contracts | None, attester: str) -> Unsigned:
    """Pledges on an account's panels that lack a signature of it that counts now.

    One that another approval made void is asked for anew. Raises ChainUnavailable.
    """
    with reading(engine) as connection:
        waiting = store.waiting_pledges(connection)
    if contracts is None or not waiting:
        return Unsigned(0, ())
    block = contracts.client.head().number
    approvals = contracts.pledge_registry.approvals().at(block=block)
    found = []
    for pledge in waiting:
        with reading(engine) as connection:
            known = store.pledge_signatures_of(connection, pledge.facility_id, approvals=approvals)
        if attester in known:
            continue
        if panel_of(contracts, pledge.facility_id, block=block).seats(attester):
            found.append(pledge)
    return Unsigned(approvals, tuple(found))


def accept_pledge_signature(
    engine: Engine,
    contracts: Contracts | None,
    *,
    facility_id: FacilityId,
    attester: str,
    approvals: int,
    signature: bytes,
    now_s: int,
) -> Collected:
    """Check and store one signature over the pledge of an offer.

    Raises:  NotFound, Conflict for a pledge that waits for no approval or that was signed before
             another approval, InvalidInput for a signature that does not count,
             ChainUnavailable, Misconfigured without a deployment.
    """
    if contracts is None:
        raise Misconfigured("there is no deployment file: signatures cannot be checked")
    with reading(engine) as connection:
        known_facility_row(connection, facility_id)
    block = contracts.client.head().number
    approved, current, epoch_terms = contracts.together(
        contracts.pledge_registry.is_approved(facility_id),
        contracts.pledge_registry.approvals(),
        contracts.facility_registry.epoch_terms_of(facility_id),
    ).at(block=block)
    if approved or epoch_terms.state is not FacilityState.OFFERED:
        message = f"the pledge of facility {facility_id} waits for no approval"
        raise Conflict(message, reason="pledge_not_waiting")
    if approvals != current:
        message = (
            f"another pledge was approved meanwhile: {current} were so far, not {approvals}."
            " Look again and sign anew"
        )
        raise Conflict(message, reason="pledge_signature_void", approvals=current)
    panel = panel_of(contracts, facility_id, block=block)
    digest = _digest(contracts, facility_id, approvals=approvals, block=block)
    if not signed_by(contracts.client, attester, digest, signature):
        message = "the signature is not this account's over this pledge"
        raise InvalidInput(message, field="signature")
    require_counting(contracts, panel, attester, block=block)
    with transaction(engine) as connection:
        known = store.pledge_signatures_of(connection, facility_id, approvals=approvals)
        if attester in known:
            return Collected(False, len(known), panel.threshold)
        row = PledgeSignature(facility_id, attester, approvals, signature, now_s)
        store.save_pledge_signature(connection, row)
    return Collected(True, len(known) + 1, panel.threshold)


def approvable(engine: Engine, contracts: Contracts) -> list[Intent]:
    """Intents for pledges that enough of their panel signed, by facility.

    Of these only one can succeed: its approval makes the signatures of the others void.
    """
    with reading(engine) as connection:
        waiting = store.waiting_pledges(connection)
    if not waiting:
        return []
    block, registry = contracts.client.head().number, contracts.pledge_registry
    approvals = registry.approvals().at(block=block)
    intents = []
    for pledge in waiting:
        facility_id = pledge.facility_id
        with reading(engine) as connection:
            known = store.pledge_signatures_of(connection, facility_id, approvals=approvals)
        if not known or not _can_be_approved(contracts, facility_id, block=block):
            continue
        panel = panel_of(contracts, facility_id, block=block)
        digest = _digest(contracts, facility_id, approvals=approvals, block=block)
        signatures = counting(contracts, panel, known, digest=digest, block=block)
        if panel.threshold == 0 or len(signatures) < panel.threshold:
            continue
        data = calldata.approve(facility_id, signatures.least(panel.threshold))
        # In the same place every time: signed anew after another approval, it is sent anew.
        intents.append(Intent("approve", facility_id, Epoch(0), 0, registry.address, data))
    return intents


def _digest(contracts: Contracts, facility_id: FacilityId, *, approvals: int, block: int) -> bytes:
    """What attesters sign of an offer's pledge, after so many approvals."""
    terms = contracts.facility_registry.terms_of(facility_id).at(block=block)
    return approval_digest(
        PledgeApproval(facility_id, terms.pledge_root, terms.device_count, OFFER_EPOCH, approvals),
        chain_id=contracts.deployment.chain_id,
        registry=contracts.deployment.pledge_registry,
    )


def _can_be_approved(contracts: Contracts, facility_id: FacilityId, *, block: int) -> bool:
    """Whether the registry would take it: the index may be behind."""
    approved, state = contracts.together(
        contracts.pledge_registry.is_approved(facility_id),
        contracts.facility_registry.state_of(facility_id),
    ).at(block=block)
    return not approved and state is FacilityState.OFFERED
