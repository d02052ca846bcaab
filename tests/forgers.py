"""A dishonest quorum: evidence, statement and signatures agree with each other, and are wrong."""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from api.chain import calldata
from api.domain.facility import FacilityTerms
from api.domain.hashing import sha256
from api.domain.log.entry import Entry, EntryKind, end_of
from api.domain.metering.facts import Agreed, Fact, Place
from api.domain.metering.usage import COUNTED_KINDS
from api.domain.statements.batches import decode_entries, encode_entries
from api.domain.statements.closing import OpenBooks
from api.domain.statements.evidence import (
    ATTESTATIONS_FILE,
    BATCHES_FILE,
    FACILITY_FILE,
    FACTS_FILE,
    MANIFEST_FILE,
    STATEMENT_FILE,
    TERMS_FILE,
    encode_attestations,
    encode_credits,
    encode_lines,
    encode_manifest,
    encode_statement,
    epoch_folder,
    facility_folder,
)
from api.domain.statements.evidence_reader import decode_facility, follows_of
from api.domain.statements.lines import Line, usage_tree
from api.domain.statements.statement import Statement, statement_digest
from api.domain.statements.told import Told, decode_told
from api.domain.units import Bytes32, Epoch, FacilityId, GpuSeconds, Micros
from scripts.dev.stack import ATTESTER_ACCOUNTS, RENTER
from tests.signed_logs import SignedLog
from tests.world import World, send, signer_of, wallet


@dataclass(frozen=True)
class Forged:
    """What a quorum publishes and posts: files of the epoch's folder, and the statement."""

    files: Mapping[str, bytes]
    statement: Statement
    lines: tuple[Line, ...] = ()

    def stating(self, **changes: Any) -> "Forged":
        """The same with other fields of the statement."""
        return replace(self, statement=replace(self.statement, **changes))

    def with_files(self, **changes: bytes) -> "Forged":
        """The same with other files, by their names without what follows the dot; the manifest and
        the statement agree with them."""
        names = {name.partition(".")[0]: name for name in self.files}
        files = {**self.files, **{names[short]: data for short, data in changes.items()}}
        if "manifest" not in changes:
            said = follows_of(self.files[MANIFEST_FILE])
            of = self.statement.facility_id, self.statement.epoch
            manifest = encode_manifest(*of, files, said=said)
            files[MANIFEST_FILE] = manifest
        hashed = sha256(files[MANIFEST_FILE])
        return replace(self, files=files).stating(evidence_hash=hashed)

    def with_log(self, entries: Sequence[Entry]) -> "Forged":
        """The same over another part of the log."""
        said = follows_of(self.files[MANIFEST_FILE])
        files = {**self.files, BATCHES_FILE: encode_entries(entries)}
        of = self.statement.facility_id, self.statement.epoch
        log = end_of(entries, said.log)
        files[MANIFEST_FILE] = encode_manifest(*of, files, said=replace(said, log=log))
        return replace(self, files=files).stating(evidence_hash=sha256(files[MANIFEST_FILE]))

    def with_lines(self, lines: Sequence[Line], *, sums: bool = True) -> "Forged":
        """The same with other lines, numbered and summed up anew; root and totals agree."""
        found = _summed(lines) if sums else tuple(lines)
        of = self.statement
        last = found[-1] if found else None
        forged = self.with_files(lines=encode_lines(found), credits=encode_credits(()))
        return replace(forged, lines=found).stating(
            line_count=len(found),
            usage_root=usage_tree(of.facility_id, of.epoch, found).root,
            billed_gpu_seconds=last.cumulative_gpu_seconds if last else GpuSeconds(0),
            gross_revenue_micros=last.cumulative_charge_micros if last else Micros(0),
        )

    def changing(self, index: int, **changes: Any) -> "Forged":
        """The same with one line changed."""
        lines = list(self.lines)
        lines[index] = replace(lines[index], **changes)
        return self.with_lines(lines)


def _summed(lines: Sequence[Line]) -> tuple[Line, ...]:
    found: list[Line] = []
    seconds = charge = 0
    for index, line in enumerate(lines):
        seconds += line.gpu_seconds
        charge += line.charge_micros
        found.append(
            replace(
                line,
                index=index,
                cumulative_gpu_seconds=GpuSeconds(seconds),
                cumulative_charge_micros=Micros(charge),
            )
        )
    return tuple(found)


def counted(line: Line, **changes: Any) -> Line:
    """A line with other times, and the GPU-seconds that these give."""
    line = replace(line, **changes)
    seconds = line.end_s - line.start_s if line.kind in COUNTED_KINDS else 0
    return replace(line, gpu_seconds=GpuSeconds(seconds))


ZERO = Bytes32(bytes(32))


class Quorum:
    """Two attesters of a world who state its next epoch as they like."""

    def __init__(self, world: World, epoch: int) -> None:
        self.world, self.epoch = world, Epoch(epoch)
        self.facility_id = FacilityId(world.facility_id)
        self.terms: FacilityTerms = decode_facility(self._read(FACILITY_FILE, None))
        self._books = OpenBooks(self.terms)
        self.history: list[Told] = []
        for before in range(epoch):
            told = self._told_of(before)
            follows = self._books.follows.log
            published = decode_entries(
                self._read(BATCHES_FILE, before),
                log=self.terms.log,
                before=follows,
                recorded_at_s=0,
            )
            self._books.close(
                self.terms.period(Epoch(before)),
                told,
                entries=published.entries,
                about_keys=published.about_keys,
            )
            self.history += told
        self.log_size = self._books.follows.log.size

    def _read(self, name: str, epoch: int | None) -> bytes:
        folder = facility_folder(self.facility_id)
        if epoch is not None:
            folder = epoch_folder(self.facility_id, Epoch(epoch))
        return self.world.evidence.read(f"{folder}/{name}")

    def _told_of(self, epoch: int) -> list[Told]:
        told = [
            each
            for name in (FACTS_FILE, TERMS_FILE)
            for each in decode_told(self._read(name, epoch), name=name)
        ]
        return sorted(told, key=lambda each: each.place)

    @property
    def period(self) -> Any:
        """The epoch that is forged."""
        return self.terms.period(self.epoch)

    def leases(self) -> dict[str, Agreed]:
        """Last version of each lease's terms, by what is special about it."""
        names: dict[str, Agreed] = {}
        for told in self.history:
            fact = told.fact
            if isinstance(fact, Agreed):
                terms = fact.terms
                name = "limited" if terms.max_gpus else "fixed" if terms.fixed else "plain"
                names[name] = fact
        return names

    def place(self, number: int) -> Place:
        """Where the fact of a number stands in the log, behind all that was stated."""
        return Place(self.log_size + number, 0)

    def entries(self, times_s: Mapping[int, int]) -> list[Entry]:
        """Entries of the log behind what was stated, one a number, recorded at these seconds."""
        found, end = list[Entry](), self._books.follows.log
        for number in range(self.log_size + 1, max(times_s, default=self.log_size) + 1):
            at_s = times_s.get(number, found[-1].recorded_at_s if found else self.period.end_s)
            entry = Entry(self.terms.log, number, end.head, EntryKind.BATCH, ZERO, ZERO, at_s, ZERO)
            found.append(entry)
            end = end_of([entry], end)
        return found

    def close(self, *facts: Callable[[Place], Fact] | Told, short: int = 0) -> Forged:
        """What books give for facts, one an entry, recorded when the epoch was over.

        short: so many of the last entries are left out of the log.
        """
        told = []
        for number, fact in enumerate(facts, 1):
            if isinstance(fact, Told):
                told.append(fact)
                continue
            place = self.place(number)
            told.append(Told(place, self.period.end_s + 60, fact(place)))
        times_s = {each.place.entry: each.recorded_at_s for each in told}
        entries = self.entries(times_s)
        entries = entries[: len(entries) - short]
        closed = self._books.copied().close(self.period, told, entries=entries)
        return Forged(dict(closed.files), closed.statement, closed.lines)

    def signed_log(self) -> SignedLog:
        """A log that goes on behind what was stated, as the quorum likes."""
        return SignedLog(self.terms, begin=self._books.follows.log)

    def close_over(self, log: SignedLog, *told: Told) -> Forged:
        """What books give for facts of a log's entries, all of which are published."""
        about = [each for each in log.entries if each.entry.kind is not EntryKind.BATCH]
        closed = self._books.copied().close(
            self.period,
            told,
            entries=[each.entry for each in log.entries],
            about_keys=about,
        )
        return Forged(dict(closed.files), closed.statement, closed.lines)

    @contextmanager
    def posted(self, forged: Forged) -> Iterator[None]:
        """Publish, sign and post; undone afterwards."""
        world, chain = self.world, self.world.chain
        snapshot = chain.rpc("evm_snapshot")
        folder = epoch_folder(self.facility_id, self.epoch)
        deployment, statement = world.deployment, forged.statement
        digest = statement_digest(
            statement, chain_id=deployment.chain_id, registry=deployment.statement_registry
        )
        signers = [signer_of(account) for account in ATTESTER_ACCOUNTS[:2]]
        signed = {s.address: s.sign_digest(digest) for s in signers}
        try:
            for name, data in forged.files.items():
                if name != FACILITY_FILE:
                    world.evidence.replace(f"{folder}/{name}", data)
            world.evidence.replace(f"{folder}/{STATEMENT_FILE}", encode_statement(statement))
            lower = {address.lower(): signature for address, signature in signed.items()}
            attestations = encode_attestations(lower)
            world.evidence.replace(f"{folder}/{ATTESTATIONS_FILE}", attestations)
            data = calldata.post(statement, signed)
            send(world.client, wallet(RENTER).address, deployment.statement_registry, data)
            yield
        finally:
            shutil.rmtree(world.evidence.root / folder, ignore_errors=True)
            chain.rpc("evm_revert", snapshot)


def lines_of(forged: Forged) -> list[Line]:
    """Lines, to be changed."""
    return list(forged.lines)
