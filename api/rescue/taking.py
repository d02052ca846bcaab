"""One facility taken over: its log appended again, entry by entry, by the judge of ingest."""

from collections.abc import Iterator
from itertools import islice
from time import monotonic

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection

from api.db.facilities import lock_facility, set_last_recorded
from api.db.log_keys import forget_receipts
from api.db.session import reading, transaction
from api.db.tables.facilities import FacilityRow
from api.domain.log.logged import LoggedEntry
from api.domain.log.receipts import receipt_of
from api.domain.log.requests import key_text
from api.domain.log.signers import signers_of
from api.domain.units import ZERO32
from api.errors import AppError, DatabaseUnavailable
from api.ledger.appending import EntryDiffers, append_again, less_heard
from api.ledger.kept import KeptLedgers
from api.ledger.recorder import Log, Receipting, keys_of
from api.ledger.snapshot import Heard
from api.rescue.escrow import FacilityEscrow
from api.rescue.escrow_check import Checked, check_escrow
from api.rescue.registering import register_again
from api.rescue.restating import Restating
from api.rescue.taken import OnChain, Site, TakenFacility, on_chain, refused

# Entries of one transaction. The database is nobody else's yet.
_AT_ONCE = 500
_SAY_EVERY_S = 1.0


def take_facility(site: Site, escrow: FacilityEscrow, *, offered: bool) -> TakenFacility:
    """Take a facility over into the site's database.

    Args:    offered: whether the chain knows it.
    Raises:  TakeoverRefused and EscrowBroken naming facility and file; EvidenceUnreachable,
             ChainUnavailable, DatabaseUnavailable.
    """
    site.on_progress(escrow.facility_id, "escrow", 0)
    checked = check_escrow(escrow)
    with reading(site.engine) as connection:
        chain = on_chain(connection, escrow.facility_id)
    with transaction(site.engine) as connection:
        operator_id = register_again(
            connection, site, checked.state, checked.terms, chain, offered=offered
        )
    taken = TakenFacility(escrow.facility_id, operator_id, checked.state.operator_name)
    return _Taking(site, escrow, checked, chain, taken).take()


class _Taking:
    """A facility of which nothing but its registration is there yet."""

    def __init__(
        self,
        site: Site,
        escrow: FacilityEscrow,
        checked: Checked,
        chain: OnChain,
        taken: TakenFacility,
    ) -> None:
        self._site, self._escrow, self._checked = site, escrow, checked
        self._facility_id, self._terms = escrow.facility_id, checked.terms
        self._taken = taken
        self._statements = Restating(site, checked.terms, chain, taken)
        self._log = Log(site.engine, lambda: 0, KeptLedgers(), site.ring)
        # Signs receipts where the log's own key is not here; they are all forgotten again.
        self._nobody = Ed25519PrivateKey.generate()
        self._unreceipted = False

    def take(self) -> TakenFacility:
        """Append its log, and make again what was stated by it."""
        self._append(self._vouched())
        self._statements.close()
        self._say_of_key()
        return self._taken

    def _vouched(self) -> int:
        """Up to which entry the escrow's log is vouched for: by the log's key, or by a posted
        statement. A log without a key is its operator's word."""
        size = self._checked.end.size
        if self._terms.log_key == ZERO32:
            return size
        vouched = min(size, max(self._checked.signed, self._statements.posted_size))
        if vouched < size:
            self._taken.said.append(
                f"entries {vouched + 1} to {size} of its escrow are left out: neither the log's key"
                " nor a posted statement vouches for them. A newer escrow would, or their authors'"
                " receipts"
            )
        return vouched

    def _append(self, up_to: int) -> None:
        entries = islice(self._escrow.entries(self._terms.log), up_to)
        said_s = monotonic()
        while some := list(islice(entries, _AT_ONCE)):
            with transaction(self._site.engine) as connection:
                for logged in some:
                    self._append_one(connection, logged)
            self._taken.entries += len(some)
            if monotonic() - said_s >= _SAY_EVERY_S:
                said_s = monotonic()
                self._site.on_progress(self._facility_id, "entries", self._taken.entries)
        self._site.on_progress(self._facility_id, "entries", self._taken.entries)
        with transaction(self._site.engine) as connection:
            row = lock_facility(connection, self._facility_id)
            opened = [each.new.reopened_at_s for each in self._checked.state.reopenings]
            # Whatever a reopening let come later came later.
            set_last_recorded(
                connection, self._facility_id, max(row.last_recorded_at_s, *opened, 0)
            )
            if self._unreceipted:
                forget_receipts(connection, self._facility_id)

    def _append_one(self, connection: Connection, logged: LoggedEntry) -> None:
        row, file = lock_facility(connection, self._facility_id), self._escrow.log_file
        receipting = None if logged.request is None else self._receipting(connection, logged)
        differs: EntryDiffers | None = None
        for heard in _heard(connection, row):
            try:
                with connection.begin_nested():
                    batch = append_again(
                        connection, row, logged, self._log, heard=heard, receipting=receipting
                    )
            except EntryDiffers as error:
                # Perhaps it was judged before the service had heard what the chain says now.
                differs = differs or error
                continue
            except DatabaseUnavailable:
                raise
            except (AppError, ValueError) as error:
                why = error.message if isinstance(error, AppError) else str(error)
                raise refused(self._facility_id, f"{logged.where}: {why}", file=file) from error
            if batch is not None:
                batch.keep_in(self._log.kept)
            return
        assert differs is not None  # of the first try at least
        raise refused(self._facility_id, differs.message, file=file) from differs

    def _receipting(self, connection: Connection, logged: LoggedEntry) -> Receipting:
        """The receipt of a signed entry, by the log's key where that is here."""
        signers = signers_of(keys_of(connection, self._terms))
        key = self._log.key_for(signers, logged.entry.number)
        if key is None:
            self._unreceipted, key = True, self._nobody
        own = key
        return lambda made: receipt_of(made, own)

    def _say_of_key(self) -> None:
        if self._terms.log_key == ZERO32:
            return
        with reading(self._site.engine) as connection:
            present = signers_of(keys_of(connection, self._terms)).present
        if self._site.ring.of(present) is None:
            self._taken.said.append(
                f"the key of its log, {key_text(present)}, is not here: no receipt is given and no"
                " signed request taken until its operator's ledger key names another (`rentroll"
                f" log rotate-key {self._facility_id}` says how). Unsigned metering, closings and"
                " signatures go on"
            )


def _heard(connection: Connection, row: FacilityRow) -> Iterator[Heard | None]:
    """What the service may have heard of the chain: first what is known now."""
    yield None
    yield from less_heard(connection, row)
