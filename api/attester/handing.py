"""Refusals on their way to others: handed to the service, and made public on-chain."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from api.attester.chain_facts import ChainFacts
from api.attester.client import HttpAttesterApi
from api.attester.failures import ServiceAway
from api.attester.shelf import RefusalShelf
from api.attester.transact import prepare
from api.attester.turns import Rests
from api.chain import calldata
from api.chain.client import ChainClient
from api.chain.signer import Signer
from api.domain.facility import DAY_S
from api.domain.json_text import as_integer, as_object, as_text, read_json
from api.domain.statements.refusal_files import SignedRefusal
from api.errors import AppError, ChainRejected, Misconfigured

Log = Callable[..., None]
# Handed in, or tried on-chain, in a round: the rest comes in the next.
_MOST_HANDED, _MOST_TRIED = 20, 5
_FIRST_REST_S = 60.0
# A transaction that is not mined by then is another's: the refusal is sent anew.
_PATIENCE_S = 600


class HandingIn:
    """Hands each refusal to the service once, while it counts. It stays at the attester's URL."""

    def __init__(self, api: HttpAttesterApi, shelf: RefusalShelf, facts: ChainFacts) -> None:
        self._api, self._shelf, self._facts = api, shelf, facts
        self._handed: set[tuple[str, int]] = set()
        self._rests: Rests[bool] = Rests(_FIRST_REST_S)

    def round(self, log: Log) -> None:
        """Hand in what was not; what the service does not take is told, and tried later.

        Raises:  ServiceAway, ChainUnavailable, Misconfigured.
        """
        waiting = [each for each in self._shelf.names(from_s=0) if self._waits(each)]
        if not waiting:
            return
        now_s = self._facts.now_s()
        for name, until_s in [each for each in waiting if each[1] >= now_s][:_MOST_HANDED]:
            try:
                self._api.submit_refusal(self._shelf.read(name))
            except ServiceAway:
                raise
            except AppError as error:
                self._rests.begin((name, until_s), value=True)
                log("not handed in", refusal=name, reason=error.message)
                continue
            self._handed.add((name, until_s))
            log("handed in", refusal=name)

    def _waits(self, each: tuple[str, int]) -> bool:
        return each not in self._handed and self._rests.value(each) is None


@dataclass(frozen=True, slots=True)
class SentRow:
    """A transaction that made a refusal public, or was about to. gas: its limit."""

    refusal: str
    until_s: int
    transaction: str
    gas: int
    at_s: int


class SentBook:
    """What was sent, a line of JSON each, on the disk before it leaves: so much gas was spent.

    Raises Misconfigured where the file cannot be used.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        try:
            data = file.read_bytes() if file.exists() else b""
            # What a crash cut off was never sent.
            whole, end, _cut = data.rpartition(b"\n")
            self.rows = [_row(line) for line in whole.splitlines()]
            if len(whole) + len(end) < len(data):
                os.truncate(file, len(whole) + len(end))
        except (OSError, ValueError, LookupError, TypeError) as error:
            raise Misconfigured(f"{file} is no record of what was sent: {error!r}") from error

    def add(self, row: SentRow) -> None:
        """Note a transaction, durably, before it is sent."""
        fields = {name: getattr(row, name) for name in SentRow.__slots__}
        try:
            with self._file.open("ab") as out:
                out.write(json.dumps(fields).encode() + b"\n")
                out.flush()
                os.fsync(out.fileno())
        except OSError as error:
            raise Misconfigured(f"{self._file} cannot be written: {error.strerror}") from error
        self.rows.append(row)


def _row(line: bytes) -> SentRow:
    said = as_object(read_json(line))
    texts = as_text(said["refusal"]), as_text(said["transaction"])
    until_s, gas, at_s = (as_integer(said[name]) for name in ("until_s", "gas", "at_s"))
    return SentRow(texts[0], until_s, texts[1], gas, at_s)


class Publisher:
    """Makes refusals public on-chain, one transaction at a time, within a day's gas.

    The facility for which least was spent comes first: one with hundreds of wrong statements does
    not use up what others need.
    """

    def __init__(
        self,
        client: ChainClient,
        signer: Signer,
        facts: ChainFacts,
        shelf: RefusalShelf,
        book: SentBook,
        *,
        most_gas: int,
        clock: Callable[[], int],
    ) -> None:
        """Args: signer: pays for gas, and nothing else is asked of it.
        most_gas: of a day, by the limits of what was sent."""
        self._client, self._signer, self._facts = client, signer, facts
        self._shelf, self._book, self._most_gas, self._clock = shelf, book, most_gas, clock
        self._rests: Rests[bool] = Rests(_FIRST_REST_S)
        # By place in the book: sent anew, a transaction may have the hash that it had.
        self._settled, self._lost = 0, set[int]()

    def round(self, log: Log) -> None:
        """Look for what was sent, and send one more.

        Raises:  ChainUnavailable, Misconfigured, SignerFailed.
        """
        if self._is_open(log):
            return
        spent, now_s = self._spent(), self._clock()
        tried = 0
        for name, signed in self._waiting(spent):
            if tried == _MOST_TRIED:
                return
            tried += 1
            said = signed.refusal
            data = calldata.refuse(said.facility_id, said.epoch, [signed])
            try:
                ready = prepare(self._client, self._signer, to=signed.desk, data=data)
            except ChainRejected as error:
                self._rests.begin(name, value=True)
                log("not on-chain", refusal=name, reason=error.message)
                continue
            if sum(spent.values()) + ready.gas > self._most_gas:
                self._rests.begin(name, value=True)
                reason = f"{ready.gas} gas more would be above the {self._most_gas} of a day"
                log("not on-chain", refusal=name, reason=reason)
                continue
            row = SentRow(name, said.until_s, "0x" + ready.tx_hash.hex(), ready.gas, now_s)
            self._book.add(row)
            self._client.send_raw(ready.raw)
            return

    def _is_open(self, log: Log) -> bool:
        """Whether the newest transaction is still to be mined; what became of it is told once."""
        newest = self._book.rows[-1] if self._book.rows else None
        if newest is None or self._settled == len(self._book.rows):
            return False
        receipt = self._client.receipt(bytes.fromhex(newest.transaction[2:]))
        if receipt is None:
            if self._clock() < newest.at_s + _PATIENCE_S:
                return True
            self._lost.add(len(self._book.rows) - 1)
            log("not mined", refusal=newest.refusal, transaction=newest.transaction)
        else:
            step = "on-chain" if receipt.succeeded else "not on-chain: it reverted"
            log(step, refusal=newest.refusal, transaction=newest.transaction)
        self._settled = len(self._book.rows)
        return False

    def _spent(self) -> dict[str, int]:
        """Gas of the last day by facility, as files name it."""
        since_s, spent = self._clock() - DAY_S, dict[str, int]()
        for row in self._book.rows:
            if row.at_s > since_s:
                of = row.refusal.partition("-epoch-")[0]
                spent[of] = spent.get(of, 0) + row.gas
        return spent

    def _waiting(self, spent: dict[str, int]) -> list[tuple[str, SignedRefusal]]:
        """Refusals that count and were not sent, those of the cheapest facility first."""
        rows = enumerate(self._book.rows)
        sent = {(row.refusal, row.until_s) for at, row in rows if at not in self._lost}
        names = [
            each
            for each in self._shelf.names(from_s=0)
            if each not in sent and self._rests.value(each[0]) is None
        ]
        if not names:
            return []
        now_s = self._facts.now_s()
        found = [(name, self._shelf.read(name)) for name, until_s in names if until_s >= now_s]
        return sorted(
            found,
            key=lambda each: (
                spent.get(each[0].partition("-epoch-")[0], 0),
                -each[1].signed_at_s,
                each[0],
            ),
        )
