"""Statements that are posted and that an attester did not sign, shown to it or not."""

from collections.abc import Callable, Iterator

from api.attester.chain_facts import ChainFacts
from api.attester.memory import SignedMemory
from api.attester.verdict import Verdict
from api.domain.units import Bytes32, Epoch, FacilityId


class PostedStatements:
    """Follows what is posted of facilities, from where the attester's memory begins."""

    def __init__(
        self,
        facts: ChainFacts,
        memory: SignedMemory,
        judge: Callable[[FacilityId, Epoch, Bytes32], Verdict],
    ) -> None:
        """Args: judge: reproduces a statement, and refuses it in public where it does not hold."""
        self._facts, self._memory, self._judge = facts, memory, judge
        # By facility: the first posted statement that was not looked at.
        self._next: dict[FacilityId, Epoch] = {}

    def of(self, facility_id: FacilityId) -> Iterator[Verdict]:
        """Verdicts on what was not looked at yet, but for those that hold.

        What cannot be judged now is looked at again, and later ones wait with it.
        """
        first = self._next.get(facility_id, self._memory.begun(facility_id))
        if first is None:
            # It never signed for the facility: it begins with the next one.
            return
        until = self._facts.first_unposted(facility_id)
        # What was voided is posted again one day.
        first = self._next[facility_id] = min(first, until)
        for epoch in map(Epoch, range(first, until)):
            claimed = self._facts.posted_hash(facility_id, epoch)
            if not self._memory.has_signed(facility_id, epoch, claimed):
                verdict = self._judge(facility_id, epoch, claimed)
                if not verdict.signed:
                    yield verdict
                    if verdict.found is None:
                        return
            self._next[facility_id] = Epoch(epoch + 1)
