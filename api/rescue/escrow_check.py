"""Whether an escrow is whole, and of its facility: by itself, and by what was published."""

from dataclasses import dataclass

from api.db.tables.leases import LeaseRow
from api.domain.facility import FacilityTerms
from api.domain.hashing import device_hash
from api.domain.log.authors import require_author
from api.domain.log.entry import NO_LOG, LogEnd, end_of, entry_hash
from api.domain.log.keys import LogKeys
from api.domain.log.logged import LoggedEntry
from api.domain.log.signers import LogSigners, signers_of
from api.domain.metering.names import SecretNames
from api.domain.statements.evidence import (
    FACILITY_FILE,
    MANIFEST_FILE,
    epoch_folder,
    facility_folder,
)
from api.domain.statements.evidence_reader import decode_facility, follows_of
from api.domain.units import ZERO32, Epoch
from api.errors import AppError, EvidenceInvalid, EvidenceUnreachable, NotFound
from api.evidence_store import EvidenceSource
from api.ledger.escrow import EscrowState
from api.rescue.escrow import FacilityEscrow


@dataclass(frozen=True, slots=True)
class Checked:
    """An escrow that holds.

    end: where its log ends.  signed: the newest entry that the log's key signed; 0 for none.
    published: the newest published statement's epoch, and how long the log was by it; None where
    none was looked at.
    """

    state: EscrowState
    terms: FacilityTerms
    end: LogEnd
    signed: int
    published: tuple[Epoch, int] | None = None

    @property
    def said(self) -> list[str]:
        """What a person should know of it."""
        said = []
        size = 0 if self.published is None else self.published[1]
        if self.published is not None and size > self.end.size:
            said.append(
                f"it ends with entry {self.end.size}, and the statement of epoch"
                f" {self.published[0]} took entries up to {size}: pull it again"
            )
        vouched = max(self.signed, min(size, self.end.size))
        if self.terms.log_key == ZERO32:
            if self.end.size > size:
                said.append("the log has no key, so behind published statements it is your word")
        elif vouched < self.end.size:
            said.append(
                f"behind entry {vouched} nothing vouches for it, and a takeover leaves that out:"
                " pull it again"
            )
        return said


def check_escrow(escrow: FacilityEscrow, evidence: EvidenceSource | None = None) -> Checked:
    """Check every hash of an escrow; and by published evidence, that it is the log of that.

    Raises:  EscrowBroken naming the file.
    """
    state = escrow.state()
    terms = checked_terms(escrow, state)
    newest = None if evidence is None else _newest(escrow, state, evidence)
    head = escrow.head()
    wanted = {} if newest is None else {newest[1].size: newest[1].head}
    reader = _Reader(escrow, state, terms)
    seen_head = head is None
    for logged in escrow.entries(terms.log, on_lease=reader.lease):
        reader.entry(logged)
        number, hashed = logged.entry.number, entry_hash(logged.entry)
        if wanted.get(number, hashed) != hashed:
            why = f"entry {number} is another than the one that its published statement names"
            raise escrow.broken(escrow.log_file, why)
        seen_head |= head is not None and head.entry == logged.entry
    if head is not None:
        if not seen_head:
            why = f"the log has not the entry {head.entry.number} that is signed there"
            raise escrow.broken(escrow.head_file, why)
        require_signed(escrow, reader.signers)
    signed = 0 if head is None else head.entry.number
    published = None if newest is None else (newest[0], newest[1].size)
    return Checked(state, terms, reader.end, signed, published)


def checked_terms(escrow: FacilityEscrow, state: EscrowState) -> FacilityTerms:
    """The facility's terms, and that the state is of them. Raises EscrowBroken."""
    file = escrow.state_file
    try:
        terms = decode_facility(state.terms_json)
    except EvidenceInvalid as error:
        raise escrow.broken(file, error.message) from error
    if terms.facility_id != escrow.facility_id:
        raise escrow.broken(file, f"its terms are of facility {terms.facility_id}")
    if terms.gpu_operator.lower() != state.operator_address.lower():
        raise escrow.broken(file, "its operator is not the one of its terms")
    named = {(device_hash(uuid), device_hash(card)) for uuid, card in state.devices}
    if named != {(device.device, device.card) for device in terms.pledge}:
        raise escrow.broken(file, "its devices are not those of its terms")
    return terms


def require_signed(escrow: FacilityEscrow, signers: LogSigners) -> None:
    """Refuse a signed end that no key of the log signed that may. Raises EscrowBroken."""
    head = escrow.head()
    if head is None:
        return
    try:
        head.require_signed(signers)
    except EvidenceInvalid as error:
        raise escrow.broken(escrow.head_file, error.message) from error


def _newest(
    escrow: FacilityEscrow, state: EscrowState, evidence: EvidenceSource
) -> tuple[Epoch, LogEnd] | None:
    """The newest statement that the state knows to be published, and where the log ended by it.

    Raises:  EscrowBroken, EvidenceUnreachable.
    """
    published = evidence.read(f"{facility_folder(escrow.facility_id)}/{FACILITY_FILE}")
    if published != state.terms_json:
        raise escrow.broken(escrow.state_file, "its facility.json is not the published one")
    # A reopening may have taken the newest away.
    for epoch in map(Epoch, reversed(range(state.closed))):
        path = f"{epoch_folder(escrow.facility_id, epoch)}/{MANIFEST_FILE}"
        try:
            return epoch, follows_of(evidence.read(path)).log
        except EvidenceUnreachable:
            raise
        except NotFound:
            continue
    return None


class _Reader:
    """What the lines of a log say beside each other: names of leases, and keys of the log."""

    def __init__(self, escrow: FacilityEscrow, state: EscrowState, terms: FacilityTerms) -> None:
        self._escrow = escrow
        self._names = SecretNames(state.facility_id, state.name_secret)
        self._keys = LogKeys(log_key=terms.log_key)
        self.end = NO_LOG

    @property
    def signers(self) -> LogSigners:
        """Keys that sign receipts, by the entries that were read."""
        return signers_of(self._keys)

    def lease(self, lease: LeaseRow) -> None:
        """Names of a lease. Raises EscrowBroken where another secret made its hash."""
        if self._names.lease(lease.lease_id) != lease.lease:
            why = "its name secret is not that of the log's leases"
            raise self._escrow.broken(self._escrow.state_file, why)

    def entry(self, logged: LoggedEntry) -> None:
        """The next entry. Raises EscrowBroken."""
        entry, request = logged.entry, logged.request
        self.end = end_of([entry], self.end)
        if request is None:
            return
        try:
            _, said = require_author(self._keys, request, entry.kind, logged.body)
        except AppError as error:
            why = f"{logged.where}: {error.message}"
            raise self._escrow.broken(self._escrow.log_file, why) from error
        number, hashed = entry.number, entry_hash(entry)
        self._keys.take(
            request.author, entry.kind, said, number=number, hashed=hashed, after=request.after
        )
