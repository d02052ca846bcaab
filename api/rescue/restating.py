"""Statements of a facility that is taken over, made again by the step that closes them.

What the chain holds, or a published file, has to come out the same, byte for byte.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import insert

from api.db.chain_store import ended_at
from api.db.facilities import known_facility_row
from api.db.log import entries_between
from api.db.session import reading, transaction
from api.db.statements import statements_before
from api.db.tables.facilities import FacilityRow
from api.db.tables.statements import attestations
from api.domain.facility import FacilityTerms, Period
from api.domain.hashing import sha256
from api.domain.log.entry import NO_LOG, LogEnd
from api.domain.statements.batches import decode_entries
from api.domain.statements.evidence import (
    ATTESTATIONS_FILE,
    BATCHES_FILE,
    MANIFEST_FILE,
    STATEMENT_FILE,
    encode_statement,
    epoch_folder,
)
from api.domain.statements.evidence_reader import follows_of
from api.domain.statements.statement import Statement, statement_hash
from api.domain.units import Epoch
from api.epochs.attestations import publish_signatures
from api.epochs.books import KeptBooks
from api.epochs.close import close_one, open_periods
from api.errors import AppError, DatabaseUnavailable, EvidenceInvalid
from api.evidence_store import HOSTILE
from api.rescue.published import is_named, named_in
from api.rescue.source import named_files, read_or_none, read_published, signatures_in
from api.rescue.taken import OnChain, Site, TakenFacility, TakeoverRefused, refused


@dataclass(frozen=True, slots=True)
class _Published:
    """The manifest of a published statement, and where the log ends by it."""

    manifest: bytes
    log: LogEnd


class Restating:
    """What was stated of one facility, before any of it is made again."""

    def __init__(
        self, site: Site, terms: FacilityTerms, chain: OnChain, taken: TakenFacility
    ) -> None:
        """Raises: TakeoverRefused where a manifest is not the one that the chain holds."""
        self._site, self._terms, self._chain, self._taken = site, terms, chain, taken
        self._facility_id = terms.facility_id
        self._books = KeptBooks()
        self._published = dict(self._manifests())

    @property
    def posted_size(self) -> int:
        """How long the log was by posted statements: so far the chain vouches for it."""
        posted = [self._published[e].log.size for e in self._chain.posted if e in self._published]
        return max(posted, default=0)

    def _manifests(self) -> Iterator[tuple[Epoch, _Published]]:
        """Manifests by epoch, up to the first that is neither published nor posted."""
        for epoch in map(Epoch, range(self._terms.epoch_count + 1)):
            posted = self._chain.posted.get(epoch)
            path = f"{epoch_folder(self._facility_id, epoch)}/{MANIFEST_FILE}"
            manifest = read_or_none(self._site, path)
            if manifest is None:
                if posted is None:
                    return
                continue
            if posted is not None and sha256(manifest) != posted.evidence_hash:
                raise self._refused("is not the manifest that the chain names", epoch, path)
            try:
                yield epoch, _Published(manifest, follows_of(manifest).log)
            except (EvidenceInvalid, *HOSTILE) as error:
                raise self._refused(str(error), epoch, path) from error

    def _refused(self, why: str, epoch: Epoch, file: str | None = None) -> TakeoverRefused:
        return refused(self._facility_id, why, epoch=epoch, file=file)

    # --- closing again ----------------------------------------------------------------------------

    def close(self) -> None:
        """Close what was published or posted, as far as the log goes.

        Raises:  TakeoverRefused where it comes to other bytes; DatabaseUnavailable.
        """
        while True:
            with reading(self._site.engine) as connection:
                row = known_facility_row(connection, self._facility_id)
                ended_at_s = ended_at(connection, [self._facility_id]).get(self._facility_id)
                period, cut_s = next(open_periods(connection, row, ended_at_s), (None, 0))
            if period is None:
                return
            epoch = period.epoch
            there, posted = self._published.get(epoch), self._chain.posted.get(epoch)
            if there is None and posted is None:
                return
            if there is not None and there.log.size > row.log_size:
                self._keep_those_behind(epoch, row)
                return
            self._close_one(period, cut_s)

    def _close_one(self, period: Period, cut_s: int) -> None:
        epoch = period.epoch
        folder, posted = epoch_folder(self._facility_id, epoch), self._chain.posted.get(epoch)
        try:
            closed = close_one(
                self._site.engine,
                self._site.evidence,
                self._facility_id,
                period,
                cut_s,
                books=self._books,
            )
        except DatabaseUnavailable:
            raise
        except AppError as error:
            raise self._refused(f"it cannot be closed again: {error.message}", epoch) from error
        assert closed is not None  # nobody else closes here
        missing = self._compare(epoch, folder)
        if posted is not None and statement_hash(posted) != statement_hash(closed.statement):
            why = (
                "the log of its escrow comes to another statement than the chain has; of its"
                f" evidence is missing: {', '.join(missing) or 'nothing'}"
            )
            raise self._refused(why, epoch)
        if missing:
            self._taken.said.append(
                f"epoch {epoch}: {', '.join(missing)} was not among the published evidence, and is"
                " made again"
            )
        self._sign(closed.statement, folder, cut_s)
        self._taken.statements += 1
        self._site.on_progress(self._facility_id, "statements", self._taken.statements)

    def _compare(self, epoch: Epoch, folder: str) -> list[str]:
        """Compare what was made with what was published. Returns what is not there."""
        there = self._published.get(epoch)
        named = {} if there is None else named_in(there.manifest)
        missing: list[str] = []
        differs: str | None = None
        # The manifest last: it differs wherever another file does.
        made = self._site.evidence.names_or_none(folder)
        for name in sorted(made, key=lambda each: (each == MANIFEST_FILE, each)):
            path = f"{folder}/{name}"
            published = read_or_none(self._site, path)
            if published is None:
                missing.append(name)
            elif published != self._site.evidence.read(path):
                if name in named and not is_named(published, named[name]):
                    raise self._refused("has other bytes than were published", epoch, path)
                differs = differs or path
        if differs is not None:
            raise self._refused("the log of its escrow comes to other bytes", epoch, differs)
        return missing

    def _sign(self, statement: Statement, folder: str, cut_s: int) -> None:
        """Take the signatures that were published."""
        epoch, path = statement.epoch, f"{folder}/{STATEMENT_FILE}"
        said = read_or_none(self._site, path)
        if said is not None and said != encode_statement(statement):
            raise self._refused("is another statement", epoch, path)
        path = f"{folder}/{ATTESTATIONS_FILE}"
        data = read_or_none(self._site, path)
        if data is None:
            if epoch in self._chain.posted:
                self._taken.said.append(
                    f"epoch {epoch}: {ATTESTATIONS_FILE} is not among the published evidence: the"
                    " chain says who signed it, and attesters sign it again"
                )
            return
        signatures = signatures_in(self._site, statement, data, path)
        rows = [
            {
                "facility_id": self._facility_id,
                "epoch": epoch,
                "attester": account,
                "signature": signature,
                "received_at_s": cut_s,
            }
            for account, signature in signatures.items()
        ]
        if rows:
            with transaction(self._site.engine) as connection:
                connection.execute(insert(attestations), rows)
            publish_signatures(self._site.engine, self._site.evidence, statement)

    # --- an escrow that is older than what was published ------------------------------------------

    def _keep_those_behind(self, first: Epoch, row: FacilityRow) -> None:
        """Keep published statements that rest on entries which the escrow lacks: by them the log is
        noted as behind, and they are closed again once it has all."""
        behind = {e: p for e, p in self._published.items() if e >= first}
        for epoch, published in behind.items():
            folder = epoch_folder(self._facility_id, epoch)
            files = named_files(self._site, self._facility_id, epoch, folder, published.manifest)
            for name, data in files:
                self._site.evidence.write(f"{folder}/{name}", data)
            for name in (STATEMENT_FILE, ATTESTATIONS_FILE):
                data_or_none = read_or_none(self._site, f"{folder}/{name}")
                if data_or_none is not None:
                    self._site.evidence.write(f"{folder}/{name}", data_or_none)
            self._site.evidence.write(f"{folder}/{MANIFEST_FILE}", published.manifest)
        self._require_published(first, row)
        size = max(published.log.size for published in behind.values())
        self._taken.said.append(
            f"its escrow ends with entry {row.log_size}, and published statements of epochs"
            f" {first} to {max(behind)} rest on entries up to {size}. Agents give back by"
            " themselves what they signed; what nobody signed comes from a copy of the log"
            " (`rentroll log restore`). Until it has all, nothing new is recorded or closed there:"
            f" `rentroll log status {self._facility_id}`"
        )

    def _require_published(self, epoch: Epoch, row: FacilityRow) -> None:
        """Refuse entries behind the last closed statement that are others than were published."""
        with reading(self._site.engine) as connection:
            closed = statements_before(connection, self._facility_id, epoch)
            end = LogEnd(closed[-1].log_size, closed[-1].log_head) if closed else NO_LOG
            ours = entries_between(
                connection,
                self._terms.log,
                after=end.size,
                up_to=row.log_size,
                recorded=(0, row.last_recorded_at_s + 1),
            )
        path = f"{epoch_folder(self._facility_id, epoch)}/{BATCHES_FILE}"
        data = read_published(self._site, self._facility_id, path)
        try:
            entries = decode_entries(data, log=self._terms.log, before=end, recorded_at_s=0).entries
        except (EvidenceInvalid, *HOSTILE) as error:
            raise self._refused(str(error), epoch, path) from error
        theirs = {entry.number: entry for entry in entries}
        for entry in ours:
            if theirs.get(entry.number, entry) != entry:
                why = f"its escrow has another entry {entry.number} than was published"
                raise self._refused(why, epoch, path)
