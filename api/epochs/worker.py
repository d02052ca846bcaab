"""Worker: one round of approve, close, post, settle, serve, finish, index. Any may be repeated.

What fails, of whichever kind, is one row of the queue; a round goes on, and nobody else waits.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from api.chain.contracts import Contracts
from api.chain.events import first_log_block
from api.chain.published import DEPLOYMENT_FILE, published_deployment
from api.chain.signer import Signer
from api.db import chain_store
from api.db import outbox as outbox_rows
from api.db.partitions import Partitions
from api.db.session import Engine, reading
from api.domain.transactions import IntentState
from api.domain.units import FacilityId
from api.epochs.approve import Approve
from api.epochs.close import Closed
from api.epochs.closing import Close, Pace
from api.epochs.finish import Finish
from api.epochs.index import Indexer, IndexProgress, state_of
from api.epochs.outbox import Intent, Outbox, Outcome, Policy
from api.epochs.post import Post
from api.epochs.queue import Failed, Queue, Step, Told
from api.epochs.serve import Serve
from api.epochs.settle import Dust, Settle
from api.epochs.times import Seen, Times
from api.evidence_store import EvidenceFolder

# Of what was missed, whatever the reason: so many facilities are looked at again, so often.
_SWEEP, _SWEEP_EVERY_S = 50, 60.0
# While an approval is under way, signatures of another pledge are about to become void.
_APPROVAL_S = 120


# What a step reads is its own: only the step itself looks inside.
_AnyStep = Step[Any]


@dataclass(frozen=True, slots=True)
class Round:
    """What one round did."""

    closed: int
    outcomes: tuple[Outcome, ...]
    events_indexed: int
    blocks_behind: int
    # Tried again later, by what the queue says.
    not_done: tuple[Failed, ...] = ()
    # Whether more is due at once.
    more: bool = False

    @property
    def not_closed(self) -> tuple[Failed, ...]:
        """Facilities whose next statement could not be closed."""
        return tuple(failed for failed in self.not_done if failed.step == Close.name)

    @property
    def failed(self) -> bool:
        """Whether something could not be done."""
        return bool(self.not_done) or any(o.error for o in self.outcomes)

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
        pace: Pace = Pace(),  # noqa: B008  frozen
        on_closed: Callable[[Closed], None] | None = None,
        policy: Policy | None = None,
        stop: threading.Event | None = None,
        index: bool = True,
        log: Callable[[Exception], None] = lambda _error: None,
    ) -> None:
        """Args: stop: once set, no further step is begun.
        index: whether it indexes; else another process does.
        log: told of exceptions that nobody foresaw."""
        self._engine, self._contracts = engine, contracts
        self._evidence, self._times = evidence, times
        self._queue = Queue(engine, stop=stop, log=log)
        self._partitions = Partitions(engine)
        self._indexer = (
            Indexer(engine, contracts, confirmations=confirmations, stop=stop) if index else None
        )
        self._close = Close(engine, evidence, self._queue, pace=pace, on_closed=on_closed)
        self._approve = Approve(engine, contracts)
        limits = policy or Policy()
        dust = Dust(limits.settle_least_micros, limits.settle_longest_wait_s)
        serve = Serve(engine, contracts)
        finish = Finish(engine, contracts, serve)
        # Finish is last: what can be posted, settled and served before a closing has been.
        self._steps: tuple[_AnyStep, ...] = (
            Post(engine, contracts, evidence),
            Settle(engine, contracts, dust),
            serve,
            finish,
        )
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
        # Number and hash of the newest indexed block whose events were looked at.
        self._seen: chain_store.BlockRow | None = None
        self._started = False
        # Block of the first event, once that is final.
        self._first_log: int | None = None
        self._swept_to, self._sweeps_at = FacilityId(0), 0.0

    def run_once(self) -> Round:
        """One round, beginning with what an earlier one left open.

        Raises:  DatabaseUnavailable: without a database there is nothing to do.
        """
        told, outcomes = Told(), list[Outcome]()
        try:
            return self._round(told, outcomes)
        finally:
            # Also after a failure: whoever comes next need not wait until the claims are old.
            self._queue.let_go()

    def _round(self, told: Told, outcomes: list[Outcome]) -> Round:
        queue = self._queue
        if not self._started:
            queue.start()
        progress = self._index(told)
        seen = queue.service("clocks", self._times.look, told)
        if seen is None:
            return Round(0, (), 0, 0, not_done=tuple(told.failed))
        now_s = seen.clocks.now_s
        queue.service("months", lambda: self._partitions.make_ahead(now_s), told)
        queue.service("look", self._wake, told)
        if self._outbox:
            self._send([], now_s, outcomes, told)
            self._take(self._approve, seen, outcomes, told, one=True)
        closed = 0
        if queue.service("time", lambda: self._agree(seen), told):
            closed = queue.service("close", lambda: self._close.run(seen, told), told) or 0
        if self._outbox:
            for step in self._steps:
                self._take(step, seen, outcomes, told)
        if outcomes:
            # What was mined in this round is known at its end.
            progress = self._index(told, progress)
        return Round(
            closed,
            tuple(outcomes),
            progress.added,
            progress.behind,
            not_done=tuple(told.failed),
            more=told.more,
        )

    def _agree(self, seen: Seen) -> bool:
        seen.clocks.require_agreement(apart_s=self._times.apart_s)
        return True

    def _index(self, told: Told, before: IndexProgress | None = None) -> IndexProgress:
        advance = self._indexer.advance if self._indexer else None
        progress = self._queue.service("index", advance, told) if advance else None
        progress = progress or IndexProgress(0, 0, 0, 0)
        added = progress.added + (0 if before is None else before.added)
        # Also at a start: whoever indexed last may have ended before it published.
        if progress.added or not self._started:
            self._queue.service("published", self._publish, told)
        return IndexProgress(progress.indexed, progress.head, added, progress.rolled_back)

    def _publish(self) -> None:
        contracts, first = self._contracts, self._first_log
        if first is None:
            first = first_log_block(contracts)
            state = state_of(self._engine)
            if state is not None and first <= state.final_number:
                # No reorg moves it any more.
                self._first_log = first
        document = published_deployment(contracts, start_block=first)
        self._evidence.replace(DEPLOYMENT_FILE, document)

    def _wake(self) -> None:
        """Make due what the chain said something of; all of it after a start or a reorg."""
        with reading(self._engine) as connection:
            newest, seen = chain_store.last_block(connection), self._seen
            known = seen and chain_store.block_at_or_below(connection, seen.number)
            fresh = seen is None or known != seen
            number = -1 if fresh or seen is None else seen.number
            touched = chain_store.touched_since(connection, number)
            funded = chain_store.funded(connection) if fresh else []
            waiting = chain_store.offered(connection) if fresh else []
        steps = [Close.name, *(step.name for step in self._steps)]
        if fresh:
            self._queue.wake(steps, funded)
            self._queue.wake([Approve.name], waiting)
        else:
            ours = sorted(touched)
            self._queue.wake([*steps, Approve.name], ours)
        self._seen, self._started = newest, True
        if time.monotonic() >= self._sweeps_at:
            self._sweeps_at = time.monotonic() + _SWEEP_EVERY_S
            self._sweep(steps)

    def _sweep(self, steps: Sequence[str]) -> None:
        """Look again at a few facilities, in turns: no event that was missed is missed for ever."""
        with reading(self._engine) as connection:
            funded = chain_store.funded(connection)
        part = [i for i in funded if i > self._swept_to][:_SWEEP]
        self._swept_to = part[-1] if len(part) == _SWEEP else FacilityId(0)
        self._queue.wake(steps, part)

    def _take(
        self,
        step: _AnyStep,
        seen: Seen,
        outcomes: list[Outcome],
        told: Told,
        *,
        one: bool = False,
    ) -> None:
        """Take a step of all for whom it is due, and send what follows; of approvals the first."""
        if one and self._approves(seen.clocks.now_s):
            return
        head, chain_s = self._contracts.client.head, seen.clocks.head_s
        intents = self._queue.service(
            "chain", lambda: self._queue.run(step, chain_s=chain_s, told=told, head=head), told
        )
        if intents:
            self._send(intents[:1] if one else intents, seen.clocks.now_s, outcomes, told)

    def _approves(self, now_s: int) -> bool:
        """Whether an approval is under way."""
        with reading(self._engine) as connection:
            intents = outbox_rows.unfinished(connection).intents
        since_s = now_s - _APPROVAL_S
        open_states = (IntentState.DUE, IntentState.SENT)
        return any(
            i.kind == Approve.name and i.state in open_states and i.created_at_s > since_s
            for i in intents
        )

    def _send(self, intents: list[Intent], now_s: int, outcomes: list[Outcome], told: Told) -> None:
        """Note what is to be sent, and do of all that is open what can be done now."""
        outbox = self._outbox
        assert outbox is not None  # only called where there is one

        def send() -> None:
            if intents:
                outbox.store(intents, now_s)
            outcomes.extend(outbox.advance(now_s))

        self._queue.service("outbox", send, told)
