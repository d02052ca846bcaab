"""Signing: the agent's key, the logs that it writes to, and the receipts that it is given.

The first receipt of a key is the entry that brought it, which the service shows when asked. Each
later request names the one before, so no entry of the agent can be left out of a log unseen.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from api.agent.failures import LogCut, LogRefused
from api.agent.flights import Flight, Result
from api.agent.receipts import newest_receipt, sent_between
from api.agent.restoring import Kept, Stretches
from api.agent.spool import Spool, pin_log, pinned_log
from api.agent.transport import CONTENT_TYPE, PATH
from api.domain.json_text import as_object, as_text, canonical_line, read_json
from api.domain.log.answers import answer_says
from api.domain.log.entry import EntryKind, LogName, entry_hash, log_name
from api.domain.log.logged import entry_document
from api.domain.log.receipts import Receipt, pack_receipt, receipt_from, unpack_receipt
from api.domain.log.requests import key_from, key_text, read_request, said_of, sign_request
from api.domain.log.signers import LogSigners, only, shown_successors
from api.domain.units import ZERO32, Bytes32
from api.errors import EvidenceInvalid, InvalidInput, SignatureRefused

# A receipt whose second is further off the agent's clock is told to people.
CLOCK_S = 120


# Of a log without receipts.
_NO_KEY = key_text(ZERO32)


@dataclass(frozen=True, slots=True)
class KnownLog:
    """A facility's log: its name, and the keys that sign its receipts."""

    name: LogName
    signers: LogSigners

    @property
    def keys(self) -> list[Bytes32]:
        """These keys, in order."""
        return [signer.key for signer in self.signers]


class AskLog(Protocol):
    """Asks the service what it says of a facility's log."""

    def __call__(self, facility: int) -> bytes:
        """JSON of `GET /v1/facilities/{facility_id}/log`. Raises Unreachable, NotAdmitted."""


class Logs:
    """The logs of the agent's facilities, as they were said to be at first: no other is believed
    later, and of their keys those alone that the first one leads to."""

    def __init__(self, spool: Spool, ask: AskLog, *, key: str | None = None) -> None:
        """Args: key: of the log, where somebody compared it with the chain; else the first is
        believed that the service names. One that the ledger key names is believed only here."""
        self.spool, self._ask, self._key = spool, ask, key
        self._known: dict[int, KnownLog] = {}

    def of(self, facility: int) -> KnownLog:
        """The log of a facility. Raises Unreachable, NotAdmitted, SpoolFailed."""
        known = self._known.get(facility)
        if known is None:
            said = pinned_log(self.spool, facility)
            known = None if said is None else self._read(said, facility, anchor=None)[0]
            if known is None or not self._leads_to_settings(known):
                # Somebody may have compared a key that the ledger key named since.
                known = self._asked(facility, known)
            self._known[facility] = known
        return known

    def _leads_to_settings(self, known: KnownLog) -> bool:
        return self._key is None or self._key in map(key_text, known.keys)

    def renewed(self, facility: int) -> KnownLog:
        """The log of a facility, as the service says now that its keys follow each other.

        Raises:  Unreachable, NotAdmitted, SpoolFailed, LogRefused.
        """
        known = self._known[facility] = self._asked(facility, self.of(facility))
        return known

    def _asked(self, facility: int, before: KnownLog | None) -> KnownLog:
        """What the service says of a log, and pinned: from the first key on that is believed."""
        said = self._ask(facility)
        anchor = self._key if before is None else key_text(before.signers.signers[0].key)
        known, shown = self._read(said, facility, anchor=anchor)
        if not self._leads_to_settings(known):
            present = key_text(known.signers.present)
            raise LogRefused(f"the log's key is {present}, the settings say {self._key}")
        if before is not None and before.name != known.name:
            raise LogRefused(f"the service calls the log {known.name}, and called it {before.name}")
        if before is None or before != known:
            first = key_text(known.signers.signers[0].key)
            pinned = {"log": str(known.name), "log_key": first, "successors": shown}
            pin_log(self.spool, facility, canonical_line(pinned))
        return known

    def _read(
        self, said: bytes, facility: int, *, anchor: str | None
    ) -> tuple[KnownLog, list[object]]:
        """A log, and the entries that name its keys, both from one key on.

        Args:    anchor: that key, base64url; None: the first that is said.
        """
        believed = {anchor, self._key}
        try:
            doc = as_object(read_json(said))
            name, first = log_name(as_text(doc["log"])), as_text(doc["log_key"])
            if first == _NO_KEY:
                raise LogRefused("the facility's log gives no receipts: send by an API key")
            signers, shown = only(key_from(first)), shown_successors(doc)
            for logged in shown:
                signers = signers.followed(
                    logged, log=name, believes=lambda _, key: key_text(key) in believed
                )
        except (ValueError, TypeError, KeyError) as error:
            raise LogRefused("the service says of the log what no Rentroll would") from error
        except (EvidenceInvalid, SignatureRefused, InvalidInput) as error:
            raise LogRefused(f"the log's key: {error.message}") from error
        if name.facility_id != facility:
            raise LogRefused(f"asked for the log of facility {facility}, it names {name}")
        keys = list(map(key_text, KnownLog(name, signers).keys))
        if anchor is not None and anchor not in keys:
            message = f"the log's key is {keys[-1]}"
            if anchor == self._key:
                raise LogRefused(f"{message}, the settings say {anchor}")
            raise LogRefused(f"{message}, and {anchor} before, which does not lead to it")
        at = 0 if anchor is None else keys.index(anchor)
        own = [entry_document(logged) for logged in shown[at:]]
        return KnownLog(name, LogSigners(signers.signers[at:])), [*own]


class KeySigner:
    """Signs by the agent's own key, and keeps the log to its receipts."""

    def __init__(self, key: Ed25519PrivateKey, logs: Logs, now: Callable[[], int]) -> None:
        self._key, self._logs, self._now = key, logs, now
        self._public = Bytes32(key.public_key().public_bytes_raw())

    @property
    def signs(self) -> bool:
        """Everything is signed."""
        return True

    @property
    def author(self) -> str:
        """The public key, as requests name it."""
        return key_text(self._public)

    def log(self, facility: int) -> str:
        """The log that a request about a facility speaks of."""
        return str(self._logs.of(facility).name)

    def headers(self, flight: Flight, *, path: str, content_type: str) -> Mapping[str, str]:
        """Headers of a flight's request."""
        after = ZERO32
        if flight.after:
            after = entry_hash(unpack_receipt(flight.after).entry)
        return sign_request(
            self._key,
            path=path,
            content_type=content_type,
            body=flight.body,
            log=self._logs.of(flight.facility).name,
            after=after,
            created_s=self._now(),
        )

    def receipt(
        self, flight: Flight, answer: Mapping[str, object], results: Sequence[Result]
    ) -> bytes:
        """The receipt of an answer, once it holds. Raises LogRefused."""
        try:
            receipt = self._of_log(flight, answer)
            receipt.require_of(flight.body)
            self._require_own(receipt)
            self._require_behind(flight, receipt)
            if not _say(receipt.answers, results):
                raise EvidenceInvalid(f"{receipt.where}: it says other answers than came with it")
        except EvidenceInvalid as error:
            raise LogRefused(error.message) from error
        return pack_receipt(receipt)

    def begin_behind(self, flight: Flight, answer: Mapping[str, object]) -> bytes:
        """The receipt behind which the service says that this key goes on: of the entry that
        brought it, or of one that the spool lost.

        Raises:  LogRefused, LogCut if the log ends before a receipt that we have.
        """
        try:
            receipt = self._of_log(flight, answer)
            try:
                self._require_behind(flight, receipt)
            except EvidenceInvalid as error:
                raise LogCut(error.message) from error
            if flight.after or receipt.entry.kind is not EntryKind.KEY:
                self._require_own(receipt)
        except EvidenceInvalid as error:
            raise LogRefused(error.message) from error
        return pack_receipt(receipt)

    # --- what a log lost -------------------------------------------------------------------------

    def newest(self, facility: int) -> Kept | None:
        """The newest receipt of a facility's log, without its body."""
        packed = newest_receipt(self._logs.spool, self.log(facility), self.author)
        return Kept(unpack_receipt(packed).entry.number, packed, b"") if packed else None

    def within(self, facility: int, stretches: Stretches) -> Iterator[Kept]:
        """Receipts of entries of some stretches, with body and signature: made anew where the
        spool has none, over the same body, behind the same entry."""
        log = self.log(facility)
        for first, last in stretches:
            for kept in sent_between(self._logs.spool, log, self.author, first=first, last=last):
                said = b""
                receipt = unpack_receipt(kept.receipt)
                if kept.body and kept.after:
                    headers = sign_request(
                        self._key,
                        path=PATH,
                        content_type=CONTENT_TYPE,
                        body=kept.body,
                        log=receipt.entry.log,
                        after=entry_hash(unpack_receipt(kept.after).entry),
                        created_s=receipt.entry.recorded_at_s,
                    )
                    said = said_of(kept.body, read_request(headers, path=PATH))
                yield Kept(receipt.entry.number, kept.receipt, said)

    def off_s(self, receipt: bytes) -> int:
        """How far the second of a receipt is off this machine's clock; 0 within two minutes."""
        entry = unpack_receipt(receipt).entry
        off_s = entry.recorded_at_s - self._now()
        return off_s if abs(off_s) > CLOCK_S else 0

    def _require_own(self, receipt: Receipt) -> None:
        if receipt.entry.author != self._public:
            raise EvidenceInvalid(f"{receipt.where}: it is another key's")
        if receipt.entry.kind is not EntryKind.BATCH:
            raise EvidenceInvalid(f"{receipt.where}: it is of another request")

    def _require_behind(self, flight: Flight, receipt: Receipt) -> None:
        """Refuse what is not behind the receipt that we have."""
        last = unpack_receipt(flight.after).entry.number if flight.after else 0
        if receipt.entry.number <= last:
            message = (
                f"the log goes on at entry {receipt.entry.number}, and we have a receipt of entry"
                f" {last}: it was rewritten, or restored from an older copy"
            )
            raise EvidenceInvalid(message)

    def _of_log(self, flight: Flight, answer: Mapping[str, object]) -> Receipt:
        """The receipt of an answer about a flight's log. Raises EvidenceInvalid."""
        known = self._logs.of(flight.facility)
        try:
            document = as_object(answer["receipt"])
        except (KeyError, TypeError) as error:
            raise EvidenceInvalid("the service gives no receipt") from error
        receipt = receipt_from(document)
        if receipt.entry.log != known.name:
            raise EvidenceInvalid(f"{receipt.where}: it is of another log than {known.name}")
        try:
            receipt.require_signed(known.signers)
        except EvidenceInvalid:
            # Perhaps by a key that followed since: the service has to show that it did.
            receipt.require_signed(self._logs.renewed(flight.facility).signers)
        return receipt


def _say(answers: bytes, results: Sequence[Result]) -> bool:
    """Whether the answers of an entry are those that came with it."""
    return len(answers) == len(results) and all(
        answer_says(byte, result.status, result.code, known=result.known)
        for byte, result in zip(answers, results, strict=True)
    )
