"""Attest: recompute statements from raw events and pledges from their devices; only then sign."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from api.chain.signer import LocalSigner
from api.chain.terms import OfferedTerms, offered_terms
from api.domain.capital.duties import require_pay
from api.domain.facility import FacilityTerms, Period, check_terms
from api.domain.lifecycle import cut_off_s
from api.domain.pledges import OFFER_EPOCH, PledgeApproval, approval_digest
from api.domain.statements.evidence import (
    CARRY_FILE,
    COMMITTED_FILES,
    EMPTY_CARRY,
    FACILITY_FILE,
    MANIFEST_FILE,
    Carry,
    epoch_folder,
    facility_folder,
    hex32,
)
from api.domain.statements.evidence_reader import decode_carry, decode_facility
from api.domain.statements.recompute import RawInput, recompute
from api.domain.statements.statement import Statement, statement_digest, statement_hash
from api.domain.units import ZERO32, Bytes32, Epoch, FacilityId
from api.epochs.chain_facts import ChainFacts
from api.epochs.memory import SignedMemory, Signer
from api.errors import AppError, EvidenceInvalid
from api.evidence_store import HOSTILE, EvidenceSource


def require_offered(terms: FacilityTerms, offered: OfferedTerms) -> None:
    """Refuse terms or a pledge that are not those that investors see on-chain.

    A statement over other devices would be provably faulty, and its signers lose their bonds.
    Raises:  EvidenceInvalid.
    """
    if offered_terms(terms) != offered:
        message = "the facility's terms or pledge are not those offered on-chain"
        raise EvidenceInvalid(message, file=FACILITY_FILE)


def require_voided(raw: RawInput, voided: Sequence[Epoch]) -> None:
    """Refuse an epoch that was reopened although nothing of it was proven wrong on-chain.

    Args:    voided: epochs with a proven fault, one entry a fault.
    Raises:  EvidenceInvalid.
    """
    claimed = Counter(reopening.first_epoch for reopening in raw.reopenings)
    if claimed - Counter(voided):
        raise EvidenceInvalid("an epoch was reopened without a proven fault on-chain")


def require_over(terms: FacilityTerms, period: Period, raw: RawInput, *, chain_now_s: int) -> None:
    """Refuse what still takes records: what is signed too early leaves out what comes in time.

    Raises:  EvidenceInvalid, also where the service names another grace than the terms.
    """
    if raw.grace_s != terms.grace_s:
        message = (
            f"the service names a grace of {raw.grace_s} s, the terms one of {terms.grace_s} s"
        )
        raise EvidenceInvalid(message, file=FACILITY_FILE)
    cut_s = cut_off_s(
        period.epoch, epoch_end_s=period.over_s, grace_s=raw.grace_s, reopenings=raw.reopenings
    )
    if chain_now_s < cut_s:
        raise EvidenceInvalid(f"it takes records until {cut_s}, by the chain's time")


class AttesterApi(Protocol):
    """What an attester asks of the service."""

    def pending(self, attester: str) -> list[tuple[FacilityId, Epoch, bytes]]:
        """`(facility_id, epoch, statement_hash)` that this attester has not signed."""
        ...

    def input(self, facility_id: FacilityId, epoch: Epoch) -> RawInput:
        """Raw events and leases of one statement."""
        ...

    def submit(
        self, facility_id: FacilityId, epoch: Epoch, attester: str, signature: bytes
    ) -> None:
        """Hand in a signature."""
        ...

    def pending_pledges(self, attester: str) -> list[FacilityId]:
        """Facilities whose pledge waits for a signature of this attester."""
        ...

    def submit_pledge(
        self, facility_id: FacilityId, attester: str, *, approvals: int, signature: bytes
    ) -> None:
        """Hand in a signature over a pledge, made after so many approvals."""
        ...


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an attester decided: signed, or refused with a reason.

    epoch: of the statement; None for the pledge of an offer.
    """

    facility_id: FacilityId
    epoch: Epoch | None
    signed: bool
    reason: str | None = None


class Attester:
    """Signs the statements that it reproduces to the byte, and the pledges that clash with none.

    Only for facilities on whose panel it sits; others it leaves alone.
    """

    def __init__(
        self,
        api: AttesterApi,
        evidence: EvidenceSource,
        signer: LocalSigner,
        facts: ChainFacts,
        memory: SignedMemory,
        *,
        least_pay_bps: int = 0,
    ) -> None:
        """Args: least_pay_bps: least attesters' part of rent for which it approves a pledge."""
        self._api, self._evidence, self._signer, self._facts = api, evidence, signer, facts
        self._memory, self._least_pay_bps = memory, least_pay_bps
        # What this attester itself reproduced: the next epoch starts from it.
        self._own: dict[tuple[FacilityId, int], tuple[Carry, Bytes32]] = {}

    def run_once(self) -> list[Verdict]:
        """Judge everything pending: pledges by facility, then statements in order of epochs."""
        verdicts = []
        for facility_id in self._api.pending_pledges(self._signer.address):
            if self._facts.seated(facility_id, self._signer.address):
                act = partial(self._sign_pledge, facility_id)
                verdicts.append(_verdict(facility_id, None, act))
        for facility_id, epoch, claimed_hash in self._api.pending(self._signer.address):
            if self._facts.seated(facility_id, self._signer.address):
                act = partial(self._sign_statement, facility_id, epoch, claimed_hash)
                verdicts.append(_verdict(facility_id, epoch, act))
        return verdicts

    def _sign_statement(self, facility_id: FacilityId, epoch: Epoch, claimed_hash: bytes) -> None:
        statement = self._judge(facility_id, epoch, claimed_hash)
        chain_id, registry = self._facts.chain_id, self._facts.registry
        signer = Signer(self._signer.address, chain_id, registry)
        rivals = self._memory.rivals(signer, statement)
        rival = self._facts.standing_rival(facility_id, rivals)
        if rival is not None:
            message = (
                f"statement {hex32(rival)} of the same epoch and previous statement is signed"
                " already: whoever signs both can be charged"
            )
            raise EvidenceInvalid(message)
        self._memory.remember(signer, statement)
        digest = statement_digest(statement, chain_id=chain_id, registry=registry)
        signature = self._signer.sign_digest(digest)
        self._api.submit(facility_id, epoch, self._signer.address, signature)

    def _sign_pledge(self, facility_id: FacilityId) -> None:
        waiting = self._facts.waiting_offer(facility_id)
        if not waiting.waits:
            raise EvidenceInvalid("the pledge waits for no approval on-chain")
        terms = self._terms(facility_id)
        require_offered(terms, waiting.offered)
        check_terms(terms)
        require_pay(terms, least_bps=self._least_pay_bps)
        self._facts.require_free(terms, approvals=waiting.approvals)
        approval = PledgeApproval(
            facility_id,
            waiting.offered.pledge_root,
            waiting.offered.device_count,
            OFFER_EPOCH,
            waiting.approvals,
        )
        digest = approval_digest(
            approval, chain_id=self._facts.chain_id, registry=self._facts.pledge_registry
        )
        self._api.submit_pledge(
            facility_id,
            self._signer.address,
            approvals=waiting.approvals,
            signature=self._signer.sign_digest(digest),
        )

    def _terms(self, facility_id: FacilityId) -> FacilityTerms:
        path = f"{facility_folder(facility_id)}/{FACILITY_FILE}"
        return decode_facility(self._evidence.read(path))

    def _judge(self, facility_id: FacilityId, epoch: Epoch, claimed_hash: bytes) -> Statement:
        raw = self._api.input(facility_id, epoch)
        if raw.reopenings:
            require_voided(raw, self._facts.voided(facility_id))
        terms = self._terms(facility_id)
        require_offered(terms, self._facts.offered(facility_id))
        period = terms.stated_period(
            epoch, ended_at_s=self._facts.ended_at_s(facility_id), grace_s=raw.grace_s
        )
        if period is None:
            raise EvidenceInvalid("the facility ended before this epoch was over")
        require_over(terms, period, raw, chain_now_s=self._facts.now_s())
        self._facts.require_in_force(terms, period)
        carry, previous_hash = self._start(facility_id, epoch)
        closed = recompute(terms, period, raw, carry=carry, previous_hash=previous_hash)
        folder = epoch_folder(facility_id, epoch)
        for name in (*COMMITTED_FILES, MANIFEST_FILE):
            home = facility_folder(facility_id) if name == FACILITY_FILE else folder
            if self._evidence.read(f"{home}/{name}") != closed.files[name]:
                raise EvidenceInvalid(f"{home}/{name} is not what the events give", file=name)
        if statement_hash(closed.statement) != claimed_hash:
            raise EvidenceInvalid("the statement is not what the events give")
        self._own[facility_id, epoch] = (closed.carry, statement_hash(closed.statement))
        self._own.pop((facility_id, epoch - 2), None)
        return closed.statement

    def _start(self, facility_id: FacilityId, epoch: Epoch) -> tuple[Carry, Bytes32]:
        """Carry and hash of the epoch before: remembered, or reproduced from its raw events."""
        if epoch == 0:
            return EMPTY_CARRY, ZERO32
        own = self._own.get((facility_id, epoch - 1))
        if own is not None:
            return own
        # After a restart the chain of epochs is walked again from the first: nothing is believed.
        carry, previous_hash = EMPTY_CARRY, ZERO32
        terms = self._terms(facility_id)
        for earlier in map(Epoch, range(epoch)):
            raw = self._api.input(facility_id, earlier)
            period = terms.period(earlier)
            closed = recompute(terms, period, raw, carry=carry, previous_hash=previous_hash)
            published = self._evidence.read(f"{epoch_folder(facility_id, earlier)}/{CARRY_FILE}")
            if decode_carry(published) != closed.carry:
                raise EvidenceInvalid(f"carry of epoch {earlier} is not what the events give")
            carry, previous_hash = closed.carry, statement_hash(closed.statement)
        return carry, previous_hash


def _verdict(facility_id: FacilityId, epoch: Epoch | None, act: Callable[[], None]) -> Verdict:
    """What became of one thing to sign; what is wrong with one keeps no other waiting."""
    try:
        act()
    except AppError as error:
        return Verdict(facility_id, epoch, signed=False, reason=error.message)
    except HOSTILE as error:
        # A service that hands out nonsense gets no signature, and does not stop us.
        what = "pledge" if epoch is None else "statement"
        reason = f"the input of the {what} is not readable: {error!r}"
        return Verdict(facility_id, epoch, signed=False, reason=reason)
    return Verdict(facility_id, epoch, signed=True)
