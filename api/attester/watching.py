"""Watching: every posted statement of every facility is looked at, and proven faults challenged."""

from collections.abc import Callable
from dataclasses import dataclass

from api.attester.challenge import Challenge, Challenger
from api.attester.transact import Sent
from api.domain.units import Bytes32
from api.errors import AppError

# Sends a challenge.
Send = Callable[[Challenge], Sent]
Log = Callable[..., None]


@dataclass(frozen=True, slots=True)
class Look:
    """What came of one round. faults: found now or before, of statements that still stand."""

    statements: int
    faults: int
    unjudged: int


class Watcher:
    """Looks at each statement until its evidence was judged, and at faults until they are void.

    Without `send` it says what it would do.
    """

    def __init__(self, challenger: Challenger, *, send: Send | None, log: Log) -> None:
        self._challenger, self._send, self._log = challenger, send, log
        self._fine: set[Bytes32] = set()
        self._said: dict[Bytes32, set[tuple[str, str]]] = {}

    def one(self) -> Look:
        """One round; what is wrong with one statement keeps no other waiting.

        Raises:  ChainUnavailable where nobody says what is posted.
        """
        posted = self._challenger.posted()
        standing = {p.hash for p in posted}
        self._fine &= standing
        self._said = {h: said for h, said in self._said.items() if h in standing}
        faults = unjudged = 0
        for each in posted:
            if each.hash in self._fine:
                continue
            named = {"facility": each.statement.facility_id, "epoch": each.statement.epoch}
            try:
                challenge = self._challenger.look(each.statement)
            except AppError as error:
                unjudged += 1
                self._tell(each.hash, "cannot be judged", **named, reason=error.message)
                continue
            if challenge is None:
                self._fine.add(each.hash)
                self._log("fine", **named)
                continue
            faults += 1
            self._act(challenge, final_s=each.final_s)
        return Look(len(posted), faults, unjudged)

    def _act(self, challenge: Challenge, *, final_s: int) -> None:
        named = {"facility": challenge.facility_id, "epoch": challenge.epoch}
        hashed, said = challenge.statement_hash, challenge.sentence()
        self._tell(hashed, "fault", **named, reason=said)
        if self._send is None:
            call = {"to": challenge.to, "data": challenge.data, "until_s": final_s}
            self._tell(hashed, "would challenge", **named, **call)
            return
        try:
            sent = self._send(challenge)
        except AppError as error:
            # The next round tries again, if the statement still stands.
            self._log("challenge failed", **named, reason=error.message)
            return
        # One that reverts came second: somebody else proved it, and the statement is void.
        step = "challenged" if sent.succeeded else "challenge reverted"
        self._log(step, **named, transaction="0x" + sent.tx_hash.hex())

    def _tell(self, hashed: Bytes32, step: str, **fields: object) -> None:
        """Say something of a statement once, not every round."""
        said = self._said.setdefault(hashed, set())
        if (step, str(fields)) not in said:
            said.add((step, str(fields)))
            self._log(step, **fields)
