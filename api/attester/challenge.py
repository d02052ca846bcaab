"""Challenges: faults of posted statements that public evidence proves, and their transactions."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from api.attester.pledges import PledgeWatch
from api.chain import calldata
from api.chain.calldata import ProvenPledge
from api.chain.contracts import Contracts
from api.chain.events import posted_statements
from api.chain.terms import offered_terms
from api.domain.facility import FacilityTerms
from api.domain.pledges import PledgedDevice, in_force, pledge_tree
from api.domain.roster import Roster
from api.domain.statements.evidence import (
    FACILITY_FILE,
    LINES_FILE,
    epoch_folder,
    facility_folder,
    hex32,
)
from api.domain.statements.evidence_reader import decode_facility, decode_lines
from api.domain.statements.faults import Fault, FaultKind, find_faults
from api.domain.statements.lines import Line, usage_tree
from api.domain.statements.statement import Statement, statement_hash
from api.domain.units import Bytes32, Epoch, FacilityId
from api.errors import ChainRejected, Conflict, EvidenceInvalid
from api.evidence_store import HOSTILE, EvidenceSource

# Deeper than any reorg that we expect.
_REREAD_BLOCKS = 64


@dataclass(frozen=True, slots=True)
class Posted:
    """A statement that stands on-chain and can be challenged. final_s: until then, UTC seconds."""

    statement: Statement
    final_s: int

    @property
    def hash(self) -> Bytes32:
        """EIP-712 struct hash."""
        return statement_hash(self.statement)


@dataclass(frozen=True, slots=True)
class Challenge:
    """A fault, and the transaction that proves it: `to` is the StatementRegistry.

    lines: indices of the lines that show it.
    card, other_id: of a double pledge: the card, and the facility that pledged it before.
    """

    facility_id: FacilityId
    epoch: Epoch
    statement_hash: Bytes32
    kind: FaultKind
    lines: tuple[int, ...]
    to: str
    data: str
    card: Bytes32 | None = None
    other_id: FacilityId | None = None

    def sentence(self) -> str:
        """What breaks which rule, and where."""
        if self.card is not None:
            return (
                f"statement {hex32(self.statement_hash)} of facility {self.facility_id}, epoch"
                f" {self.epoch}: card {hex32(self.card)} is in the pledge of facility"
                f" {self.other_id}, which was approved before and holds at the same time"
            )
        named = " and ".join(map(str, self.lines))
        return (
            f"statement {hex32(self.statement_hash)} of facility {self.facility_id}, epoch"
            f" {self.epoch}: line {named} breaks the rule {self.kind.name}"
        )


class Challenger:
    """Knows what is posted, and looks for faults in its lines, and for cards that an earlier pledge
    has for the same time.

    What no proof on-chain can show it does not look for: attesters and `rentroll verify` do.
    """

    def __init__(self, contracts: Contracts, evidence: EvidenceSource) -> None:
        self._contracts, self._evidence = contracts, evidence
        self._pledges = PledgeWatch(contracts, evidence)
        self._next_block = contracts.deployment.start_block
        self._statements: dict[Bytes32, Statement] = {}

    def posted(self) -> list[Posted]:
        """Statements that can be challenged now, by facility and epoch. Raises ChainUnavailable."""
        contracts, head = self._contracts, self._contracts.client.head()
        registry = contracts.statement_registry
        for event in posted_statements(contracts, first=self._next_block, last=head.number):
            statement = event.args.statement
            self._statements[statement_hash(statement)] = statement
        self._next_block = max(contracts.deployment.start_block, head.number - _REREAD_BLOCKS)
        window_s = registry.challenge_window_s().at(block=head.number)
        known = list(self._statements.items())
        asked = [registry.statement_of(s.facility_id, s.epoch) for _, s in known]
        records = contracts.all_of(asked).at(block=head.number) if asked else []
        found = []
        for (hashed, statement), record in zip(known, records, strict=True):
            final_s = record.posted_at_s + window_s
            if record.statement_hash == hashed and head.time_s < final_s:
                found.append(Posted(statement, final_s))
            elif record.statement_hash == hashed:
                # Final: it can never be challenged again.
                del self._statements[hashed]
        return sorted(found, key=lambda p: (p.statement.facility_id, p.statement.epoch))

    def of(self, facility_id: FacilityId, epoch: Epoch) -> Posted:
        """The statement of an epoch. Raises Conflict where none can be challenged."""
        for posted in self.posted():
            named = posted.statement.facility_id, posted.statement.epoch
            if named == (facility_id, epoch):
                return posted
        message = (
            f"facility {facility_id} has no statement of epoch {epoch} that can be challenged:"
            " none is posted, or it is void, or final"
        )
        raise Conflict(message)

    def look(self, statement: Statement) -> Challenge | None:
        """The first fault that public evidence proves, one the chain takes; None if there is none.

        Raises:  EvidenceInvalid where the evidence is not that of the statement; NotFound;
                 ChainUnavailable; ChainRejected where the chain takes none of the proofs.
        """
        try:
            terms, lines = self._read(statement)
            roster = self._pledges.roster(terms)
            faults = find_faults(terms, statement, lines, roster.replacements)
            challenges = [
                *self._challenges(statement, lines, roster, faults),
                *self._double_pledges(terms, statement),
            ]
        except HOSTILE as error:
            raise EvidenceInvalid(f"the evidence is not readable: {error!r}") from error
        refused: ChainRejected | None = None
        for challenge in challenges:
            try:
                self._contracts.client.request(
                    "eth_call", {"to": challenge.to, "data": challenge.data}, "latest"
                )
            except ChainRejected as error:
                refused = error
                continue
            return challenge
        if refused is not None:
            raise refused
        return None

    def _read(self, statement: Statement) -> tuple[FacilityTerms, list[Line]]:
        """Terms as they are offered, and the lines under the statement's root."""
        facility_id, head = statement.facility_id, self._contracts.client.head().number
        path = f"{facility_folder(facility_id)}/{FACILITY_FILE}"
        terms = decode_facility(self._evidence.read(path))
        offered = self._contracts.facility_registry.terms_of(facility_id).at(block=head)
        if offered_terms(terms) != offered:
            message = "the facility's terms or pledge are not those offered on-chain"
            raise EvidenceInvalid(message, file=FACILITY_FILE)
        folder = epoch_folder(facility_id, statement.epoch)
        lines = decode_lines(self._evidence.read(f"{folder}/{LINES_FILE}"))
        tree = usage_tree(facility_id, statement.epoch, lines)
        if tree.root != statement.usage_root:
            message = (
                "lines.csv is not what was stated: without the lines under its root nothing of"
                " this statement can be proven"
            )
            raise EvidenceInvalid(message, file=LINES_FILE)
        return terms, lines

    def _double_pledges(self, terms: FacilityTerms, statement: Statement) -> Iterator[Challenge]:
        registry, head = self._contracts.statement_registry, self._contracts.client.head()
        posted = registry.epochs_posted(statement.facility_id).at(block=head.number)
        # A closing statement has no hours of its own: who has the cards then does not matter.
        if statement.epoch >= posted:
            return
        proven: set[Bytes32] = set()
        for twice in self._pledges.twice(terms, statement.epoch):
            own = _proven(terms.facility_id, twice.pledge.devices, twice.index)
            other = _proven(twice.other_id, twice.other_pledge.devices, twice.other_index)
            card = own.pledged.card
            if card in proven:
                continue
            proven.add(card)
            data = calldata.challenge_double_pledge(
                statement,
                own,
                other_id=twice.other_id,
                other_epoch=twice.other_epoch,
                other=other,
            )
            yield Challenge(
                statement.facility_id,
                statement.epoch,
                statement_hash(statement),
                FaultKind.DEVICE_PLEDGED_TWICE,
                (),
                registry.address,
                data,
                card,
                twice.other_id,
            )

    def _challenges(
        self,
        statement: Statement,
        lines: Sequence[Line],
        roster: Roster,
        faults: Sequence[Fault],
    ) -> Iterator[Challenge]:
        if not faults:
            return
        tree = usage_tree(statement.facility_id, statement.epoch, lines)
        for fault in faults:
            first = lines[fault.first], tree.proof(fault.first)
            shown = [fault.first] if fault.second is None else [fault.first, fault.second]
            if fault.kind is FaultKind.DEVICE_NOT_PLEDGED:
                around = _neighbours(roster, lines[fault.first])
                data = calldata.challenge_device(statement, first, around)
            elif fault.second is None:
                data = calldata.challenge_line(statement, *first)
            else:
                second = lines[fault.second], tree.proof(fault.second)
                data = calldata.challenge_pair(statement, first, second)
            yield Challenge(
                statement.facility_id,
                statement.epoch,
                statement_hash(statement),
                fault.kind,
                tuple(lines[i].index for i in shown),
                self._contracts.statement_registry.address,
                data,
            )


def _proven(facility_id: FacilityId, devices: Sequence[PledgedDevice], index: int) -> ProvenPledge:
    return ProvenPledge(index, devices[index], pledge_tree(facility_id, devices).proof(index))


def _neighbours(roster: Roster, line: Line) -> list[ProvenPledge]:
    """Pledged devices around one that is not pledged, or itself where it is pledged later, in the
    pledge that holds in the epoch of the line's start."""
    terms = roster.terms
    epoch = terms.epoch_at(max(line.start_s, terms.window_start_s))
    pledge = in_force(roster.replacements, epoch)
    devices: Sequence[PledgedDevice] = terms.pledge if pledge is None else pledge.devices
    tree = pledge_tree(terms.facility_id, devices)
    above = bisect_left([d.device for d in devices], line.subject)
    if above < len(devices) and devices[above].device == line.subject:
        places = [above]
    else:
        places = [i for i in (above - 1, above) if 0 <= i < len(devices)]
    return [ProvenPledge(i, devices[i], tree.proof(i)) for i in places]
