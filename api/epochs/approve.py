"""Approve: signatures of a panel over the pledge of an offer are collected, then sent as one."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from api.chain import calldata
from api.chain.answers import Block
from api.chain.contracts import Contracts
from api.chain.contracts.attester_registry import Seats
from api.chain.contracts.facility_registry import EpochTerms
from api.chain.erc1271 import signed_by
from api.chain.packed import packed
from api.chain.panels import counted, panel_of, require_counting, seated
from api.chain.terms import OfferedTerms
from api.db import pledges as store
from api.db import work
from api.db.facilities import known_facility_row
from api.db.pledges import WaitingPledge
from api.db.session import Engine, reading, transaction
from api.db.tables.pledges import PledgeSignature
from api.domain.lifecycle import FacilityState
from api.domain.pledges import OFFER_EPOCH, PledgeApproval, approval_digest
from api.domain.units import Epoch, FacilityId
from api.epochs.outbox import Intent
from api.epochs.queue import NOTHING, Look
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
        work.wake(connection, Approve.name, [facility_id], now_s=int(time.time()))
    return Collected(True, len(known) + 1, panel.threshold)


@dataclass(frozen=True, slots=True)
class _Read:
    """What the contracts say at one block of facilities whose pledge waits and is signed."""

    head: Block
    approvals: int
    waiting: Mapping[FacilityId, "_Waiting"]
    members: frozenset[str]
    seats: Mapping[int, Seats]


@dataclass(frozen=True, slots=True)
class _Waiting:
    """Whether a pledge can be approved, what was offered, and who signed it."""

    approved: bool
    terms: EpochTerms
    offered: OfferedTerms
    signatures: Mapping[str, bytes]


class Approve:
    """The step, for pledges that enough of their panel signed.

    Of these only one can succeed at a time: its approval makes the signatures of the others void.
    """

    name = "approve"

    def __init__(self, engine: Engine, contracts: Contracts) -> None:
        self._engine, self._contracts = engine, contracts

    def read(self, facility_ids: Sequence[FacilityId], head: Block) -> _Read:
        """What the contracts say of those whose pledge waits, by the index."""
        contracts, block = self._contracts, head.number
        wanted = set(facility_ids)
        with reading(self._engine) as connection:
            known = [p.facility_id for p in store.waiting_pledges(connection)]
        known = [i for i in known if i in wanted]
        if not known:
            return _Read(head, 0, {}, frozenset(), {})
        asked = contracts.all_of(
            [
                contracts.together(
                    contracts.pledge_registry.is_approved(i),
                    contracts.facility_registry.epoch_terms_of(i),
                    contracts.facility_registry.terms_of(i),
                )
                for i in known
            ]
        )
        count = contracts.pledge_registry.approvals()
        approvals, answers = packed(contracts.together(count, asked), block=block)
        with reading(self._engine) as connection:
            waiting = {
                i: _Waiting(*said, store.pledge_signatures_of(connection, i, approvals=approvals))
                for i, said in zip(known, answers, strict=True)
            }
        numbers = sorted({w.terms.panel for w in waiting.values()} - {0})
        signers = sorted({signer for w in waiting.values() for signer in w.signatures})
        attesters = contracts.attester_registry
        seats, counts = packed(
            contracts.together(
                contracts.all_of([attesters.panel_of(number) for number in numbers]),
                contracts.all_of([attesters.is_attester(signer) for signer in signers]),
            ),
            block=block,
        )
        members = frozenset(s for s, counts_now in zip(signers, counts, strict=True) if counts_now)
        return _Read(head, approvals, waiting, members, dict(zip(numbers, seats, strict=True)))

    def one(self, facility_id: FacilityId, read: _Read) -> Look:
        """The approval of one pledge, in the same place every time: signed anew after another
        approval, it is sent anew."""
        found = read.waiting.get(facility_id)
        if found is None or found.approved or found.terms.state is not FacilityState.OFFERED:
            return NOTHING
        if not found.signatures:
            # Attesters hand them in; also after another approval made theirs void.
            return NOTHING
        panel = seated(facility_id, found.terms.panel, read.seats.get(found.terms.panel))
        registry = self._contracts.pledge_registry
        signatures = counted(
            self._contracts.client,
            panel,
            found.signatures,
            members=read.members,
            digest=_digest_of(self._contracts, facility_id, found.offered, read.approvals),
            block=read.head.number,
        )
        if not 0 < panel.threshold <= len(signatures):
            return Look(waits=f"{len(signatures)} of {panel.threshold} signatures count")
        data = calldata.approve(facility_id, signatures.least(panel.threshold))
        return Look((Intent("approve", facility_id, Epoch(0), 0, registry.address, data),))


def _digest(contracts: Contracts, facility_id: FacilityId, *, approvals: int, block: int) -> bytes:
    """What attesters sign of an offer's pledge, after so many approvals."""
    offered = contracts.facility_registry.terms_of(facility_id).at(block=block)
    return _digest_of(contracts, facility_id, offered, approvals)


def _digest_of(
    contracts: Contracts, facility_id: FacilityId, offered: OfferedTerms, approvals: int
) -> bytes:
    pledge = facility_id, offered.pledge_root, offered.device_count
    return approval_digest(
        PledgeApproval(*pledge, OFFER_EPOCH, approvals),
        chain_id=contracts.deployment.chain_id,
        registry=contracts.deployment.pledge_registry,
    )
