"""Refusals: signed, written where anybody can read them, and never for "not yet"."""

from dataclasses import dataclass

from api.attester.account import AttesterAccount
from api.attester.chain_facts import ChainFacts
from api.attester.due import Due, DueEvidence
from api.attester.failures import MemoryContradicted
from api.attester.shelf import RefusalShelf
from api.domain.facility import DAY_S
from api.domain.hashing import sha256
from api.domain.log.receipts import SignedEntry
from api.domain.statements.evidence import (
    COMMITTED_FILES,
    FACILITY_FILE,
    MANIFEST_FILE,
    epoch_folder,
    facility_folder,
)
from api.domain.statements.refusal_files import SignedRefusal, plain_message
from api.domain.statements.refusals import (
    NO_HASH,
    PLACE_LENGTH,
    Refusal,
    RefusalCode,
    refusal_preimage,
)
from api.domain.units import Bytes32, Epoch, FacilityId
from api.errors import (
    AppError,
    EventRejected,
    EvidenceInvalid,
    EvidenceUnreachable,
    InvalidInput,
    NotFound,
)
from api.evidence_store import EvidenceSource

# A service can claim any number of hashes; each would be a file for ever.
_MOST_OF_AN_EPOCH = 32


@dataclass(frozen=True, slots=True)
class Found:
    """What is wrong. place: file and line of the evidence, or entry of the log; may be empty.

    fork: two entries of one number that the log's key signed, where that is what is wrong.
    """

    code: RefusalCode
    place: str
    message: str
    fork: tuple[SignedEntry, ...] = ()

    def same(self, other: "Found") -> bool:
        """Whether another look found the same."""
        return (self.code, self.place) == (other.code, other.place)


@dataclass(frozen=True, slots=True)
class Missing:
    """Evidence that cannot be had, and the file of its refusal."""

    facility_id: FacilityId
    epoch: Epoch
    found: Found
    refusal: str


def found_by(error: AppError) -> Found | None:
    """What an error says of a statement; None where it says nothing of it.

    A chain, a service or a signer that does not answer, an epoch that is not over, and whatever a
    node that lags could cause, is no reason to refuse.
    """
    if not isinstance(error, (EvidenceInvalid, EventRejected, InvalidInput)):
        return None
    contradicts = isinstance(error, MemoryContradicted)
    code = RefusalCode.MEMORY_CONTRADICTED if contradicts else RefusalCode.NOT_RECOMPUTED
    return Found(code, place_of(error), error.message)


def place_of(error: AppError) -> str:
    """File and line, or the log's entry, as far as an error names them and a word holds them."""
    entry, file, line = (error.context.get(key) for key in ("entry", "file", "line"))
    place = ""
    if isinstance(entry, int):
        place = f"log:{entry}"
    elif isinstance(file, str):
        place = file.rpartition("/")[2] + (f":{line}" if isinstance(line, int) else "")
    fits = len(place) <= PLACE_LENGTH and place.isascii() and place.isprintable()
    return place if fits else ""


class Refuser:
    """Signs refusals and puts them on the shelf, each once while it counts."""

    def __init__(
        self,
        account: AttesterAccount,
        facts: ChainFacts,
        evidence: EvidenceSource,
        shelf: RefusalShelf,
        due: DueEvidence,
        *,
        days: int = 7,
    ) -> None:
        """Args: days: so long a refusal can take back what an operator published."""
        self._account, self._facts, self._evidence = account, facts, evidence
        self._shelf, self._due, self._days = shelf, due, days
        # Evidence that was there, by its hash on-chain: looked at once.
        self._had: set[Due] = set()

    def refused(
        self, facility_id: FacilityId, epoch: Epoch, statement: Bytes32, found: Found
    ) -> str | None:
        """File of a refusal that says the same already."""
        now_s = self._facts.now_s()
        return self._shelf.standing(facility_id, epoch, statement, found.code, now_s=now_s)

    def refuse(
        self, facility_id: FacilityId, epoch: Epoch, statement: Bytes32, found: Found
    ) -> str | None:
        """Sign the refusal of a statement, and of its evidence where an operator published that.

        Returns: name of the statement's file; None where so many of the epoch are refused that
                 somebody makes them up.
        Raises:  SignerFailed, ChainUnavailable, Misconfigured if it cannot be written.
        """
        if self._shelf.count(facility_id, epoch) >= _MOST_OF_AN_EPOCH:
            return None
        evidence = self._manifest_hash(facility_id, epoch)
        if evidence != NO_HASH and evidence == self._facts.published(facility_id, epoch):
            # Only a refusal that names no statement takes back what is published.
            self._sign(facility_id, epoch, found, statement=NO_HASH, evidence=evidence)
        return self._sign(facility_id, epoch, found, statement=statement, evidence=evidence)

    def seated(self) -> list[FacilityId]:
        """Facilities on whose panel the account sits. Raises ChainUnavailable."""
        return self._due.seated(self._account.address)

    def missing(self) -> list[Missing]:
        """Refuse evidence that cannot be had a day after its hash stood on-chain."""
        told = []
        for due in self._due.older_than(DAY_S, self._account.address):
            if due in self._had:
                continue
            name = self._absent(due)
            if name is None:
                continue
            code = RefusalCode.EVIDENCE_MISSING
            message = f"{name} could not be had a day after its hash stood on-chain"
            found = Found(code, name, message)
            now_s, at = self._facts.now_s(), (due.facility_id, due.epoch)
            standing = self._shelf.standing(*at, due.evidence, code, now_s=now_s)
            # Looked at twice, as a statement is.
            if standing is None and self._absent(due) == name:
                file = self._sign(*at, found, statement=NO_HASH, evidence=due.evidence)
                told.append(Missing(*at, found, file))
        return told

    def _absent(self, due: Due) -> str | None:
        """The first file that is not there; None if all are, or if that cannot be told."""
        name = MANIFEST_FILE
        try:
            for name in (MANIFEST_FILE, *COMMITTED_FILES):
                home = epoch_folder(due.facility_id, due.epoch)
                home = facility_folder(due.facility_id) if name == FACILITY_FILE else home
                data = self._evidence.read(f"{home}/{name}")
                if name == MANIFEST_FILE and sha256(data) != due.evidence:
                    # What is there is something else: the evidence with this hash is not.
                    return name
        except EvidenceUnreachable:
            return None
        except NotFound:
            return name
        except EvidenceInvalid:
            # Too large to read, which is another matter.
            return None
        self._had.add(due)
        return None

    def _manifest_hash(self, facility_id: FacilityId, epoch: Epoch) -> Bytes32:
        path = f"{epoch_folder(facility_id, epoch)}/{MANIFEST_FILE}"
        try:
            return sha256(self._evidence.read(path))
        except (NotFound, EvidenceInvalid):
            return NO_HASH

    def _sign(
        self,
        facility_id: FacilityId,
        epoch: Epoch,
        found: Found,
        *,
        statement: Bytes32,
        evidence: Bytes32,
    ) -> str:
        around = self._facts.around(facility_id, epoch)
        refusal = Refusal(
            facility_id,
            epoch,
            statement,
            evidence,
            around.previous,
            around.rejections,
            around.now_s + self._days * DAY_S,
            found.code,
            found.place,
        )
        desk = self._facts.attester_desk
        preimage = refusal_preimage(refusal, chain_id=self._facts.chain_id, desk=desk)
        signed = SignedRefusal(
            refusal=refusal,
            attester=self._account.address,
            signature=self._account.sign(preimage),
            chain_id=self._facts.chain_id,
            desk=desk,
            signed_at_s=around.now_s,
            message=plain_message(found.message),
            fork=found.fork,
        )
        return self._shelf.put(signed)
