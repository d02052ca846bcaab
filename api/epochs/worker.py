"""Worker: one round of approve, close, post, settle, serve, finish, index. Any may be repeated."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Engine

from api.chain.contracts import Contracts
from api.chain.published import DEPLOYMENT_FILE, published_deployment
from api.chain.signer import Signer
from api.db.partitions import Partitions
from api.epochs.approve import approvable
from api.epochs.books import KeptBooks
from api.epochs.close import Closed, Failed, close_due
from api.epochs.finish import closable
from api.epochs.index import Indexer, IndexProgress
from api.epochs.outbox import Intent, Outbox, Outcome, Policy
from api.epochs.post import postable
from api.epochs.serve import servable
from api.epochs.settle import Dust, settleable
from api.epochs.times import Times
from api.errors import ClocksDiffer
from api.evidence_store import EvidenceFolder


@dataclass(frozen=True, slots=True)
class Round:
    """What one round did."""

    closed: int
    outcomes: tuple[Outcome, ...]
    events_indexed: int
    blocks_behind: int
    # Tried again in the next round.
    not_closed: tuple[Failed, ...] = ()
    # Why no epoch of any facility was closed.
    stopped: str | None = None

    @property
    def failed(self) -> bool:
        """Whether something could not be done."""
        return bool(self.not_closed or self.stopped) or any(
            outcome.error for outcome in self.outcomes
        )

    @property
    def idle(self) -> bool:
        """Whether there was nothing to do."""
        return not (self.closed or self.outcomes or self.events_indexed or self.failed)


class Worker:
    """Runs rounds. Without a signer it is a dry run: it closes and indexes, and sends nothing."""

    def __init__(
        self,
        engine: Engine,
        contracts: Contracts,
        evidence: EvidenceFolder,
        signer: Signer | None,
        times: Times,
        *,
        confirmations: int | None = 0,
        stop: threading.Event | None = None,
        index: bool = True,
        on_closed: Callable[[Closed], None] | None = None,
        policy: Policy | None = None,
    ) -> None:
        self._engine, self._contracts = engine, contracts
        self._evidence, self._times, self._on_closed = evidence, times, on_closed
        self._books = KeptBooks()
        self._partitions = Partitions(engine)
        self._indexer = (
            Indexer(engine, contracts, confirmations=confirmations, stop=stop) if index else None
        )
        limits = policy or Policy()
        self._dust = Dust(limits.settle_least_micros, limits.settle_longest_wait_s)
        chain_id = contracts.deployment.chain_id
        self._outbox = (
            Outbox(
                engine,
                contracts.client,
                signer,
                chain_id=chain_id,
                # Without confirmations, as on a demo's chain, only what the node calls so is final.
                confirmations=confirmations or None,
                policy=limits,
            )
            if signer
            else None
        )

    def run_once(self) -> Round:
        """One round, beginning with what an earlier one left open."""
        clocks = self._times.look().clocks
        now_s = clocks.now_s
        self._partitions.make_ahead(now_s)
        outcomes: list[Outcome] = []
        if self._outbox:
            outcomes += self._outbox.advance(now_s)
            outcomes += self._approve(now_s)
        failed: list[Failed] = []
        stopped, closed = None, list[Closed]()
        try:
            clocks.require_agreement(apart_s=self._times.apart_s)
        except ClocksDiffer as error:
            stopped = error.message
        else:
            closed = close_due(
                self._engine,
                self._evidence,
                clocks.past_s,
                books=self._books,
                on_closed=self._on_closed,
                on_failed=failed.append,
            )
        if self._outbox:
            posts = postable(self._engine, self._contracts, self._evidence)
            outcomes += self._carry(posts, now_s)
            settlements = settleable(self._engine, self._contracts, self._dust)
            outcomes += self._carry(settlements, now_s)
            services = servable(self._engine, self._contracts)
            outcomes += self._carry(services.intents, now_s)
            # Last, so that what can be posted and settled before a closing has been; and what can
            # be served is waited for.
            closings = closable(self._engine, self._contracts, unfinished=services.unfinished)
            outcomes += self._carry(closings, now_s)
        progress = IndexProgress(0, 0, 0, 0) if self._indexer is None else self._indexer.advance()
        if progress.added:
            document = published_deployment(self._contracts)
            self._evidence.replace(DEPLOYMENT_FILE, document)
        return Round(
            len(closed),
            tuple(outcomes),
            progress.added,
            progress.behind,
            not_closed=tuple(failed),
            stopped=stopped,
        )

    def _carry(self, due: list[Intent], now_s: int) -> list[Outcome]:
        """Note what is due, and do of it what can be done now."""
        assert self._outbox is not None  # only called where there is one
        if not due:
            return []
        self._outbox.store(due, now_s)
        return self._outbox.advance(now_s)

    def _approve(self, now_s: int) -> list[Outcome]:
        """Send the approval of one pledge: it makes the signatures over all others void."""
        assert self._outbox is not None  # only called where there is one
        for intent in approvable(self._engine, self._contracts):
            if self._outbox.store([intent], now_s):
                return self._outbox.advance(now_s)
        return []
