"""StatementRegistry: posted statements, published evidence, and verdicts on faults."""

from dataclasses import dataclass
from typing import Annotated

from api.chain.contracts.call import Call, Contract, View
from api.domain.units import Address, Bytes32, Epoch, FacilityId, Micros


@dataclass(frozen=True, slots=True)
class StatementRecord:
    """`IStatementRegistry.StatementRecord`; all zero where nothing is posted.

    cumulative_available, cumulative_gross_micros: of epochs 0 to this one; GPU-seconds, and micros.
    """

    statement_hash: Bytes32
    posted_at_s: Annotated[int, "uint64"]
    cumulative_available: Annotated[int, "uint64"]
    cumulative_gross_micros: Annotated[Micros, "uint128"]


@dataclass(frozen=True, slots=True)
class Openness:
    """`IPublications.Openness`: how far epochs are stated or published, and what took some back."""

    first_open: Annotated[Epoch, "uint32"]
    voided_at_s: Annotated[int, "uint40"]
    rejected_at_s: Annotated[int, "uint40"]
    rejections: Annotated[int, "uint32"]


@dataclass(frozen=True, slots=True)
class FaultVerdict:
    """`IStatementChallenges.Verdict`, all zero if no challenge succeeded.

    fault: numbered as `FaultKind`, 0 for none.  barred: it can never be posted again.
    """

    challenger: Address
    fault: Annotated[int, "uint8"]
    barred: bool


class StatementRegistry(Contract):
    """View functions of StatementRegistry."""

    name = "StatementRegistry"
    _statement_of = View("statementOf", ("uint64", "uint32"), StatementRecord)
    _epochs_posted = View("epochsPosted", ("uint64",), int, "uint32")
    _epochs_final = View("epochsFinal", ("uint64",), int, "uint32")
    _is_closing_posted = View("isClosingPosted", ("uint64",), bool)
    _is_closing_final = View("isClosingFinal", ("uint64",), bool)
    _challenge_window = View("challengeWindow", (), int, "uint64")
    _openness_of = View("opennessOf", ("uint64",), Openness)
    _published_hash_of = View("publishedHashOf", ("uint64", "uint32"), Bytes32)
    _verdict_of = View("verdictOf", ("bytes32",), FaultVerdict)
    _may_repeat = View("mayRepeat", ("uint64",), bool)
    _signers_of = View("signersOf", ("uint64", "uint32"), tuple[Address, ...])
    _batch_digest = View("batchDigest", ("bytes32",), Bytes32)

    def statement_of(self, facility_id: FacilityId, epoch: Epoch) -> Call[StatementRecord]:
        """The statement of an epoch that was posted and not voided."""
        return self._call(self._statement_of, facility_id, epoch)

    def epochs_posted(self, facility_id: FacilityId) -> Call[int]:
        """Number of epochs with a statement, which is also the next epoch to be posted."""
        return self._call(self._epochs_posted, facility_id)

    def epochs_final(self, facility_id: FacilityId) -> Call[int]:
        """How many epochs can no longer be challenged."""
        return self._call(self._epochs_final, facility_id)

    def is_closing_posted(self, facility_id: FacilityId) -> Call[bool]:
        """Whether the closing statement is posted: nothing more will be stated."""
        return self._call(self._is_closing_posted, facility_id)

    def is_closing_final(self, facility_id: FacilityId) -> Call[bool]:
        """Whether the closing statement can no longer be challenged."""
        return self._call(self._is_closing_final, facility_id)

    def challenge_window_s(self) -> Call[int]:
        """Seconds from posting to finality."""
        return self._call(self._challenge_window)

    def openness_of(self, facility_id: FacilityId) -> Call[Openness]:
        """How far a facility's epochs are stated or published."""
        return self._call(self._openness_of, facility_id)

    def published_hash_of(self, facility_id: FacilityId, epoch: Epoch) -> Call[Bytes32]:
        """Evidence that stands published for an epoch; zero if none does."""
        return self._call(self._published_hash_of, facility_id, epoch)

    def verdict_of(self, statement_hash: bytes) -> Call[FaultVerdict]:
        """What was proven against a statement."""
        return self._call(self._verdict_of, statement_hash)

    def may_repeat(self, facility_id: FacilityId) -> Call[bool]:
        """Whether a double pledge voided a statement of a facility: then statements of it may be
        signed and posted once more, and two of one epoch are no equivocation."""
        return self._call(self._may_repeat, facility_id)

    def signers_of(self, facility_id: FacilityId, epoch: Epoch) -> Call[tuple[Address, ...]]:
        """Accounts in the slots of those that signed a posted statement, lower-case."""
        return self._call(self._signers_of, facility_id, epoch)

    def batch_digest(self, root: bytes) -> Call[Bytes32]:
        """What attesters sign for a batch of statements."""
        return self._call(self._batch_digest, root)
