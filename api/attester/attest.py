"""Attest: recompute statements from raw events and pledges from their devices; only then sign."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from api.attester.account import AttesterAccount
from api.attester.chain_facts import ChainFacts
from api.attester.failures import BeforeMemory, MemoryContradicted
from api.attester.memory import SignedMemory
from api.chain.terms import OfferedTerms, offered_terms
from api.domain.capital.duties import require_pay
from api.domain.facility import FacilityTerms, Period, check_terms, require_own_log
from api.domain.lifecycle import cut_off_s
from api.domain.log.entry import LogEnd
from api.domain.pledges import OFFER_EPOCH, PledgeApproval, approval_preimage
from api.domain.statements.closing import ClosedEpoch
from api.domain.statements.evidence import (
    ATTESTATIONS_FILE,
    COMMITTED_FILES,
    FACILITY_FILE,
    MANIFEST_FILE,
    epoch_folder,
    facility_folder,
    hex32,
)
from api.domain.statements.evidence_reader import decode_facility, read_attestations
from api.domain.statements.recompute import RawInput, Recomputation
from api.domain.statements.statement import statement_hash, statement_preimage
from api.domain.units import Bytes32, Epoch, FacilityId
from api.errors import AppError, EvidenceInvalid, EvidenceUnreachable, NotFound
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


# Closed epochs that wait for a quorum: of more, signatures of before are looked for no further.
_MOST_UNPOSTED = 1_000


class AttesterApi(Protocol):
    """What an attester asks of the service."""

    def pending(self, attester: str) -> list[tuple[FacilityId, Epoch, bytes]]:
        """`(facility_id, epoch, statement_hash)` that this attester has not signed."""
        ...

    def log(self, facility_id: FacilityId, *, after: int) -> RawInput:
        """Salt and reopenings of a facility, and the entries of its log behind one."""
        ...

    def submit(
        self, facility_id: FacilityId, epoch: Epoch, attester: str, signature: bytes
    ) -> None:
        """Hand in a signature."""
        ...

    def pending_pledges(self, attester: str) -> list[FacilityId]:
        """Facilities whose pledge waits for a signature of this attester."""
        ...

    def pending_replacements(self, attester: str) -> list[tuple[FacilityId, Epoch, Bytes32]]:
        """`(facility, first epoch, root)` of replacements that this attester has not signed."""
        ...

    def submit_replacement(
        self,
        facility_id: FacilityId,
        root: Bytes32,
        attester: str,
        *,
        approvals: int,
        signature: bytes,
    ) -> None:
        """Hand in a signature over a replacement, made after so many approvals."""
        ...

    def submit_pledge(
        self, facility_id: FacilityId, attester: str, *, approvals: int, signature: bytes
    ) -> None:
        """Hand in a signature over a pledge, made after so many approvals."""
        ...


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an attester decided: signed, or refused with a reason.

    epoch: of the statement; None for the pledge of an offer, or one in its place.
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
        account: AttesterAccount,
        facts: ChainFacts,
        memory: SignedMemory,
        *,
        least_pay_bps: int = 0,
    ) -> None:
        """Args: least_pay_bps: least attesters' part of rent for which it approves a pledge."""
        self._api, self._evidence, self._account, self._facts = api, evidence, account, facts
        self._memory, self._least_pay_bps = memory, least_pay_bps
        # What this attester itself reproduced: the next epoch starts from it.
        self._own: dict[FacilityId, _Reproduced] = {}

    def run_once(self) -> list[Verdict]:
        """Judge everything pending: pledges by facility, then statements in order of epochs."""
        verdicts = []
        for facility_id in self._api.pending_pledges(self._account.address):
            if self._facts.seated(facility_id, self._account.address):
                act = partial(self._sign_pledge, facility_id)
                verdicts.append(_verdict(facility_id, None, act))
        for facility_id, epoch, root in self._api.pending_replacements(self._account.address):
            if self._facts.seated(facility_id, self._account.address):
                act = partial(self._sign_replacement, facility_id, epoch, root)
                verdicts.append(_verdict(facility_id, None, act))
        for facility_id, epoch, claimed_hash in self._api.pending(self._account.address):
            if self._facts.seated(facility_id, self._account.address):
                act = partial(self._sign_statement, facility_id, epoch, claimed_hash)
                verdicts.append(_verdict(facility_id, epoch, act))
        return verdicts

    def _sign_statement(self, facility_id: FacilityId, epoch: Epoch, claimed_hash: bytes) -> None:
        self._memory.require_active()
        self._require_begun(facility_id, epoch)
        seen = self._memory.log_end(facility_id)
        closed = self._judge(facility_id, epoch, claimed_hash, seen=seen)
        statement = closed.statement
        rivals = self._memory.rivals(statement)
        rival = self._facts.standing_rival(facility_id, rivals)
        if rival is not None:
            message = (
                f"statement {hex32(rival)} of the same epoch and previous statement is signed"
                " already: whoever signs both can be charged"
            )
            raise MemoryContradicted(message)
        self._facts.require_behind_posted(statement)
        self._memory.remember(statement, closed.log)
        bound = self._memory.bound
        preimage = statement_preimage(statement, chain_id=bound.chain_id, registry=bound.registry)
        signature = self._account.sign(preimage)
        self._api.submit(facility_id, epoch, self._account.address, signature)

    def _require_begun(self, facility_id: FacilityId, epoch: Epoch) -> None:
        """Without memory of a facility nobody knows what was signed: go on behind all that shows.

        Raises:  BeforeMemory, ChainUnavailable, EvidenceUnreachable, Misconfigured.
        """
        begun = self._memory.begun(facility_id)
        if begun is None:
            begun = self._first_unsigned(facility_id)
            self._memory.begin(facility_id, begun)
        # After a double pledge the contracts let anybody sign once more.
        if epoch < begun and not self._facts.may_repeat(facility_id):
            message = (
                f"this attester's memory of the facility begins at epoch {begun}: what it signed"
                " of earlier ones it does not know"
            )
            raise BeforeMemory(message)

    def _first_unsigned(self, facility_id: FacilityId) -> Epoch:
        """Behind the newest statement on-chain, and the newest with a published signature of us."""
        first = self._facts.first_unposted(facility_id)
        for epoch in range(first, first + _MOST_UNPOSTED):
            path = f"{epoch_folder(facility_id, Epoch(epoch))}/{ATTESTATIONS_FILE}"
            try:
                signed = read_attestations(self._evidence.read(path))
            except EvidenceUnreachable:
                raise
            except (NotFound, EvidenceInvalid):
                # Not even published: nobody's signature shows.
                break
            if self._account.address.lower() in signed:
                first = Epoch(epoch + 1)
        return first

    def _sign_pledge(self, facility_id: FacilityId) -> None:
        waiting = self._facts.waiting_offer(facility_id)
        if not waiting.waits:
            raise EvidenceInvalid("the pledge waits for no approval on-chain")
        terms = self._terms(facility_id)
        require_offered(terms, waiting.offered)
        self._require_own_log(terms)
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
        preimage = approval_preimage(
            approval, chain_id=self._facts.chain_id, registry=self._facts.pledge_registry
        )
        self._api.submit_pledge(
            facility_id,
            self._account.address,
            approvals=waiting.approvals,
            signature=self._account.sign(preimage),
        )

    def _sign_replacement(self, facility_id: FacilityId, from_epoch: Epoch, root: Bytes32) -> None:
        terms = self._terms(facility_id)
        require_offered(terms, self._facts.offered(facility_id))
        approvals = self._facts.require_replaceable(facility_id, terms, from_epoch)
        self._facts.require_replacement_free(
            terms, root=root, from_epoch=from_epoch, approvals=approvals
        )
        approval = PledgeApproval(facility_id, root, terms.device_count, from_epoch, approvals)
        preimage = approval_preimage(
            approval, chain_id=self._facts.chain_id, registry=self._facts.pledge_registry
        )
        self._api.submit_replacement(
            facility_id,
            root,
            self._account.address,
            approvals=approvals,
            signature=self._account.sign(preimage),
        )

    def _terms(self, facility_id: FacilityId) -> FacilityTerms:
        path = f"{facility_folder(facility_id)}/{FACILITY_FILE}"
        return decode_facility(self._evidence.read(path))

    def _judge(
        self, facility_id: FacilityId, epoch: Epoch, claimed_hash: bytes, *, seen: LogEnd
    ) -> ClosedEpoch:
        own = self._own.pop(facility_id, None)
        raw = self._api.log(facility_id, after=0 if own is None else own.rebuilt.end.size)
        raw.ended_at_s = self._facts.ended_at_s(facility_id)
        if raw.reopenings:
            require_voided(raw, self._facts.voided(facility_id))
        terms = self._terms(facility_id)
        require_offered(terms, self._facts.offered(facility_id))
        self._require_own_log(terms)
        period = terms.stated_period(epoch, ended_at_s=raw.ended_at_s, grace_s=raw.grace_s)
        if period is None:
            raise EvidenceInvalid("the facility ended before this epoch was over")
        require_over(terms, period, raw, chain_now_s=self._facts.now_s())
        raw.replacements = self._facts.require_in_force(terms, period).replacements
        if own is None or not own.leads_to(period, raw):
            # After a restart the log is read again from its first entry: nothing is believed.
            if own is not None:
                raw = self._whole_log(facility_id, raw)
            raw.seen = seen
            own = _Reproduced(raw, Recomputation(terms, raw))
        own.rebuilt.read(raw.entries)
        if own.rebuilt.end.size < seen.size:
            message = f"the log ends before entry {seen.size}, which was seen before"
            raise EvidenceInvalid(message, entry=seen.size)
        closed = self._close(own, period)
        folder = epoch_folder(facility_id, epoch)
        for name in (*COMMITTED_FILES, MANIFEST_FILE):
            home = facility_folder(facility_id) if name == FACILITY_FILE else folder
            if self._evidence.read(f"{home}/{name}") != closed.files[name]:
                raise EvidenceInvalid(f"{home}/{name} is not what the events give", file=name)
        if statement_hash(closed.statement) != claimed_hash:
            raise EvidenceInvalid("the statement is not what the events give")
        # Only now: what did not hold is read again from the first entry.
        self._own[facility_id] = own
        return closed

    def _require_own_log(self, terms: FacilityTerms) -> None:
        registry = self._facts.facility_registry
        require_own_log(terms, chain_id=self._facts.chain_id, registry=registry)

    def _whole_log(self, facility_id: FacilityId, newer: RawInput) -> RawInput:
        raw = self._api.log(facility_id, after=0)
        raw.ended_at_s, raw.replacements = newer.ended_at_s, newer.replacements
        if raw.reopenings != newer.reopenings:
            raise EvidenceInvalid("an epoch was reopened just now: try again")
        return raw

    def _close(self, own: "_Reproduced", period: Period) -> ClosedEpoch:
        """The statement of a period, and before it those that were not reproduced yet."""
        if own.closed is not None and own.closed.statement.epoch == period.epoch:
            return own.closed
        terms, rebuilt = own.rebuilt.books.terms, own.rebuilt
        for earlier in map(Epoch, range(rebuilt.books.next_number, period.epoch)):
            closed = rebuilt.close(terms.period(earlier))
            folder = epoch_folder(terms.facility_id, earlier)
            if self._evidence.read(f"{folder}/{MANIFEST_FILE}") != closed.files[MANIFEST_FILE]:
                message = f"the evidence of epoch {earlier} is not what the events give"
                raise EvidenceInvalid(message, file=MANIFEST_FILE)
        own.closed = rebuilt.close(period)
        return own.closed


@dataclass
class _Reproduced:
    """Books that an attester rebuilt from a log, and the last statement that they gave."""

    raw: RawInput
    rebuilt: Recomputation
    closed: ClosedEpoch | None = None

    def leads_to(self, period: Period, raw: RawInput) -> bool:
        """Whether a period is the last that was closed or follows, and neither was anything
        reopened nor a device replaced."""
        last = self.closed is not None and self.closed.statement.epoch == period.epoch
        follows = self.rebuilt.books.next_number <= period.epoch
        same = (raw.salt, raw.reopenings, raw.ended_at_s, raw.replacements) == (
            self.raw.salt,
            self.raw.reopenings,
            self.raw.ended_at_s,
            self.raw.replacements,
        )
        return (last or follows) and same


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
