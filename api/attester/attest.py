"""Attest: recompute statements from raw events and pledges from their devices; only then sign."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from api.attester.account import AttesterAccount
from api.attester.chain_facts import ChainFacts
from api.attester.client import HttpAttesterApi
from api.attester.failures import BeforeMemory, MemoryContradicted, NotYet, ServiceAway
from api.attester.forks import Forks
from api.attester.kept_books import KeptBooks
from api.attester.memory import SignedMemory
from api.attester.pledge_signing import PledgeSigner, read_terms, require_log_of
from api.attester.posted import PostedStatements
from api.attester.refusing import Refuser
from api.attester.requirements import (
    Reproduced,
    difference,
    require_offered,
    require_over,
    require_seen,
    require_voided,
)
from api.attester.turns import MOST_A_ROUND, Rests, Waiting, in_turns
from api.attester.verdict import Verdict, verdict_of
from api.domain.clocks import CLOCKS_APART_S, Clocks
from api.domain.facility import Period
from api.domain.log.entry import LogEnd
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
from api.domain.statements.evidence_reader import read_attestations
from api.domain.statements.recompute import RawInput, Recomputation
from api.domain.statements.statement import statement_hash, statement_preimage
from api.domain.units import Bytes32, Epoch, FacilityId
from api.errors import (
    AppError,
    ChainUnavailable,
    ClocksDiffer,
    EvidenceInvalid,
    EvidenceUnreachable,
    NotFound,
)
from api.evidence_store import HOSTILE, EvidenceSource

# Closed epochs that wait for a quorum: of more, signatures of before are looked for no further.
_MOST_UNPOSTED = 1_000


class Attester:
    """Signs the statements that it reproduces to the byte, and the pledges that clash with none.

    Only for facilities on whose panel it sits; others it leaves alone.
    """

    def __init__(
        self,
        api: HttpAttesterApi,
        evidence: EvidenceSource,
        account: AttesterAccount,
        facts: ChainFacts,
        memory: SignedMemory,
        *,
        least_pay_bps: int = 0,
        clock: Callable[[], int] | None = None,
        apart_s: int = CLOCKS_APART_S,
        refuser: Refuser | None = None,
        patience_s: float = 0.0,
        books: KeptBooks | None = None,
    ) -> None:
        """Args: least_pay_bps: least attesters' part of rent for which it approves a pledge.
        clock: of this machine; None where the chain's time is simulated.
        apart_s: so far it and the newest block may differ, or no statement is judged.
        refuser: signs refusals; without one they are only told.
        patience_s: so long a statement that was refused is not read again, then twice as long.
        books: keeps what was reproduced over a restart."""
        self._api, self._evidence, self._account, self._facts = api, evidence, account, facts
        self._memory = memory
        self._clock, self._refuser, self._apart_s = clock, refuser, apart_s
        self._rests: Rests[Verdict] = Rests(patience_s)
        self._forks = Forks(api, evidence, memory)
        self._pledges = PledgeSigner(api, evidence, account, facts, least_pay_bps=least_pay_bps)
        # What this attester itself reproduced: the next epoch starts from it.
        self._own: dict[FacilityId, Reproduced] = {}
        # Entries that the service showed of each log.
        self.log_sizes: dict[FacilityId, int] = {}
        self._books = KeptBooks(None) if books is None else books
        self._posted = PostedStatements(facts, memory, self._judge_posted)

    def run_once(self) -> list[Verdict]:
        """Judge everything pending: pledges by facility, then statements in order of epochs.

        Raises:  Misconfigured if the memory was exported: then nothing is signed at all.
        """
        self._memory.require_active()
        account = self._account.address
        verdicts = list(self._pledges.pending())
        shown = self._api.pending(account)
        seated = self._facts.seated({facility_id for facility_id, _, _ in shown}, account)
        waiting = {each for each in shown if each[0] in seated}
        self._rests.keep(waiting)
        return [*verdicts, *self._statements(in_turns(waiting, looks=self._rests.looks))]

    def _statements(self, waiting: Iterator[Waiting]) -> Iterator[Verdict]:
        """Sign statements, or say why not, in turns: a facility of which one was refused has had
        its turn, for each look reads its whole log."""
        judged, had, refused = 0, set[FacilityId](), set[FacilityId]()
        for each in waiting:
            facility_id = each[0]
            resting = self._rests.value(each)
            if resting is not None:
                yield resting
                continue
            if facility_id in refused or (facility_id in had and judged >= MOST_A_ROUND):
                continue
            had.add(facility_id)
            judged += 1
            verdict = self._judged(*each, self._sign_statement)
            if verdict.signed:
                self._rests.end(each)
            else:
                self._rests.begin(each, verdict, rests=verdict.found is not None)
            if verdict.found is not None:
                refused.add(facility_id)
            yield verdict

    def look_for_missing(self) -> list[Verdict]:
        """Refuse evidence that cannot be had a day after its hash stood on-chain.

        Raises:  ChainUnavailable, SignerFailed, Misconfigured.
        """
        self._memory.require_active()
        missing = [] if self._refuser is None else self._refuser.missing()
        return [
            Verdict(m.facility_id, m.epoch, False, m.found.message, m.found, m.refusal)
            for m in missing
        ]

    def look_at_posted(self) -> list[Verdict]:
        """Judge statements that are posted and that this attester did not sign, shown to it or not;
        what does not hold is refused in public. Each is judged once.

        Raises:  ChainUnavailable, SignerFailed, Misconfigured.
        """
        self._memory.require_active()
        facilities = [] if self._refuser is None else self._refuser.seated()
        return [verdict for facility_id in facilities for verdict in self._posted.of(facility_id)]

    def _judge_posted(self, facility_id: FacilityId, epoch: Epoch, claimed: Bytes32) -> Verdict:
        return self._judged(facility_id, epoch, claimed, self._reproduce)

    def _reproduce(self, facility_id: FacilityId, epoch: Epoch, claimed: Bytes32) -> None:
        self._judge(facility_id, epoch, claimed, seen=self._memory.log_end(facility_id))

    def _judged(
        self,
        facility_id: FacilityId,
        epoch: Epoch,
        claimed: Bytes32,
        judge: Callable[[FacilityId, Epoch, Bytes32], None],
    ) -> Verdict:
        act = partial(self._looked, facility_id, epoch, partial(judge, facility_id, epoch, claimed))
        verdict = act()
        if verdict.found is None or self._refuser is None:
            return verdict
        name = self._refuser.refused(facility_id, epoch, claimed, verdict.found)
        if name is None:
            # A glitch on the way is no reason for a public word: all is read once more.
            again = act()
            if again.found is None or not again.found.same(verdict.found):
                return again
            name = self._refuser.refuse(facility_id, epoch, claimed, again.found)
        return replace(verdict, refusal=name)

    def _looked(self, facility_id: FacilityId, epoch: Epoch, act: Callable[[], None]) -> Verdict:
        verdict = verdict_of(facility_id, epoch, act)
        if verdict.found is None:
            return verdict
        return replace(verdict, found=self._forks.proven(facility_id, verdict.found))

    def _sign_statement(self, facility_id: FacilityId, epoch: Epoch, claimed_hash: bytes) -> None:
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
        try:
            self._facts.require_behind_posted(statement)
        except EvidenceInvalid as error:
            # The posted one has a quorum; the service may have lost or reopened its own.
            raise NotYet(error.message) from error
        signers = self._own[facility_id].rebuilt.signers
        end = self._forks.signed_end(facility_id, closed.log, signers)
        self._memory.remember(statement, closed.log, end)
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

    def _judge(
        self, facility_id: FacilityId, epoch: Epoch, claimed_hash: bytes, *, seen: LogEnd
    ) -> ClosedEpoch:
        own = self._own.pop(facility_id, None) or self._books.load(facility_id)
        try:
            return self._judge_from(own, facility_id, epoch, claimed_hash, seen=seen)
        except (NotYet, ChainUnavailable, EvidenceUnreachable, ServiceAway):
            raise
        except (AppError, *HOSTILE):
            # What did not hold is read again from the first entry.
            self._books.drop(facility_id)
            raise

    def _judge_from(
        self,
        own: Reproduced | None,
        facility_id: FacilityId,
        epoch: Epoch,
        claimed_hash: bytes,
        *,
        seen: LogEnd,
    ) -> ClosedEpoch:
        # Before anything else of the chain is asked: what the log has of later waits.
        clocks = self._clocks()
        known_s = clocks.head_s
        after = 0 if own is None else own.rebuilt.end.size
        raw = self._log(facility_id, after=after, seen=seen)
        raw.ended_at_s = self._facts.ended_at_s(facility_id)
        if raw.reopenings:
            require_voided(raw, self._facts.voided(facility_id))
        terms = read_terms(self._evidence, facility_id)
        require_offered(terms, self._facts.offered(facility_id))
        require_log_of(terms, self._facts)
        period = terms.stated_period(epoch, ended_at_s=raw.ended_at_s, grace_s=raw.grace_s)
        if period is None:
            # Nothing of it can come, unless the node lags behind the service.
            raise NotYet("the facility ended before this epoch was over")
        require_over(terms, period, raw, past_s=clocks.past_s)
        raw.replacements = self._facts.require_in_force(terms, period).replacements
        raw.named = self._facts.named_keys(terms.gpu_operator)
        if own is None or not own.leads_to(period, raw):
            # Nothing is believed: the log is read from its first entry.
            if own is not None:
                raw = self._whole_log(facility_id, raw, seen=seen)
            raw.seen = seen
            own = Reproduced(raw, Recomputation(terms, raw))
        own.rebuilt.hear(raw.named)
        own.rebuilt.learn(raw.leases)
        ahead = any(each.entry.recorded_at_s > known_s for each in raw.entries)
        own.rebuilt.read([each for each in raw.entries if each.entry.recorded_at_s <= known_s])
        own.raw.entries, own.raw.leases = [], []
        if ahead and own.rebuilt.end.size < seen.size:
            raise NotYet("the node is behind what the log was before: nothing is judged by it")
        if own.rebuilt.end.size < seen.size:
            message = f"the log ends before entry {seen.size}, which was seen before"
            raise MemoryContradicted(message, entry=seen.size)
        closed = self._close(own, period)
        folder = epoch_folder(facility_id, epoch)
        for name in (*COMMITTED_FILES, MANIFEST_FILE):
            home = facility_folder(facility_id) if name == FACILITY_FILE else folder
            read = self._evidence.read(f"{home}/{name}")
            if read != closed.files[name]:
                raise difference(f"{home}/{name}", name=name, read=read, made=closed.files[name])
        if statement_hash(closed.statement) != claimed_hash:
            raise EvidenceInvalid("the statement is not what the events give")
        self._own[facility_id] = own
        self._books.keep(facility_id, own)
        return closed

    def _log(self, facility_id: FacilityId, *, after: int, seen: LogEnd) -> RawInput:
        raw = self._api.log(facility_id, after=after)
        require_seen(raw, seen)
        self.log_sizes[facility_id] = after + len(raw.entries)
        return raw

    def _clocks(self) -> Clocks:
        """This machine's time and the chain's. Raises NotYet where one of them must be wrong."""
        clocks = self._facts.clocks(None if self._clock is None else self._clock())
        try:
            clocks.require_agreement(apart_s=self._apart_s)
        except ClocksDiffer as error:
            raise NotYet(error.message) from error
        return clocks

    def _whole_log(self, facility_id: FacilityId, newer: RawInput, *, seen: LogEnd) -> RawInput:
        raw = self._log(facility_id, after=0, seen=seen)
        raw.ended_at_s, raw.replacements = newer.ended_at_s, newer.replacements
        raw.named = newer.named
        if raw.reopenings != newer.reopenings:
            raise NotYet("an epoch was reopened just now: try again")
        return raw

    def _close(self, own: Reproduced, period: Period) -> ClosedEpoch:
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
