"""Attest: recompute a statement from raw events, compare every byte, and only then sign."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from api.chain.signer import LocalSigner
from api.chain.terms import OfferedTerms, offered_terms
from api.domain.facility import FacilityTerms
from api.domain.statements.evidence import (
    CARRY_FILE,
    COMMITTED_FILES,
    EMPTY_CARRY,
    FACILITY_FILE,
    MANIFEST_FILE,
    Carry,
    epoch_folder,
    facility_folder,
)
from api.domain.statements.evidence_reader import decode_carry, decode_facility
from api.domain.statements.recompute import RawInput, recompute
from api.domain.statements.statement import Statement, statement_digest, statement_hash
from api.domain.units import ZERO32, Bytes32, Epoch, FacilityId
from api.epochs.chain_facts import ChainFacts
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


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an attester decided on one statement: signed, or refused with a reason."""

    facility_id: FacilityId
    epoch: Epoch
    signed: bool
    reason: str | None = None


class Attester:
    """Recomputes pending statements and signs those that it reproduces to the byte."""

    def __init__(
        self,
        api: AttesterApi,
        evidence: EvidenceSource,
        signer: LocalSigner,
        facts: ChainFacts,
    ) -> None:
        self._api, self._evidence, self._signer, self._facts = api, evidence, signer, facts
        # What this attester itself reproduced: the next epoch starts from it.
        self._own: dict[tuple[FacilityId, int], tuple[Carry, Bytes32]] = {}

    def run_once(self) -> list[Verdict]:
        """Judge everything pending, in order of epochs."""
        verdicts = []
        for facility_id, epoch, claimed_hash in self._api.pending(self._signer.address):
            try:
                statement = self._judge(facility_id, epoch, claimed_hash)
                digest = statement_digest(
                    statement, chain_id=self._facts.chain_id, registry=self._facts.registry
                )
                signature = self._signer.sign_digest(digest)
                self._api.submit(facility_id, epoch, self._signer.address, signature)
                verdicts.append(Verdict(facility_id, epoch, signed=True))
            except AppError as error:
                verdicts.append(Verdict(facility_id, epoch, signed=False, reason=error.message))
            except HOSTILE as error:
                # A service that hands out nonsense gets no signature, and does not stop us.
                reason = f"the input of the statement is not readable: {error!r}"
                verdicts.append(Verdict(facility_id, epoch, signed=False, reason=reason))
        return verdicts

    def _judge(self, facility_id: FacilityId, epoch: Epoch, claimed_hash: bytes) -> Statement:
        raw = self._api.input(facility_id, epoch)
        if raw.reopenings:
            require_voided(raw, self._facts.voided(facility_id))
        terms = decode_facility(
            self._evidence.read(f"{facility_folder(facility_id)}/{FACILITY_FILE}")
        )
        require_offered(terms, self._facts.offered(facility_id))
        earlier = self._facts.earlier_pledge(terms)
        if earlier is not None:
            message = (
                f"facility {earlier.facility_id} pledged {earlier.devices} of the devices before"
            )
            raise EvidenceInvalid(message, file=FACILITY_FILE)
        carry, previous_hash = self._start(facility_id, epoch)
        closed = recompute(terms, epoch, raw, carry=carry, previous_hash=previous_hash)
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
        path = f"{facility_folder(facility_id)}/{FACILITY_FILE}"
        terms = decode_facility(self._evidence.read(path))
        for earlier in map(Epoch, range(epoch)):
            raw = self._api.input(facility_id, earlier)
            closed = recompute(terms, earlier, raw, carry=carry, previous_hash=previous_hash)
            published = self._evidence.read(f"{epoch_folder(facility_id, earlier)}/{CARRY_FILE}")
            if decode_carry(published) != closed.carry:
                raise EvidenceInvalid(f"carry of epoch {earlier} is not what the events give")
            carry, previous_hash = closed.carry, statement_hash(closed.statement)
        return carry, previous_hash
