"""Keys of the demo: operators' ledger keys, named on-chain, and a key for each collector.

A collector is the sending side of `rentroll agent`, in this process and on the chain's time: its
key, what it has to send and its receipts lie in a folder of its own.
"""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from api.agent.events import NewEvent
from api.agent.failures import Behind, LogRefused
from api.agent.flights import Flights, Result
from api.agent.receipts import Held, Read, hold, kept_receipts, read_published, reader
from api.agent.signing import KeySigner, Logs
from api.agent.spool import Spool, append
from api.agent.transport import HttpTransport
from api.agent.web import Web
from api.chain import calldata
from api.cli.ledger_key import LedgerKey
from api.cli.operator_client import OperatorClient
from api.domain.json_text import as_list, as_object
from api.domain.log.entry import UNSIGNED
from api.domain.log.receipts import Receipt
from api.domain.log.requests import key_from
from api.domain.units import FacilityId
from api.errors import AppError
from api.local.key_file import make_key_file, read_key_file
from scripts.dev.stack import OPERATORS, Stack, wallet

_SPOOL_MIB = 1_024
_TIMEOUT_S = 120.0


class Collector:
    """Sends what machines of a facility did, signed by a key of its own."""

    def __init__(self, stack: Stack, folder: Path, facility_id: FacilityId) -> None:
        folder.mkdir(parents=True)
        self.key = key_from(make_key_file(folder / "agent.key"))
        self._stack, self._facility_id = stack, facility_id
        self._web = Web(stack.api_url, timeout_s=_TIMEOUT_S)
        self._spool = Spool(folder / "spool.db", most_mib=_SPOOL_MIB)
        key = read_key_file(folder / "agent.key")
        self._signer = KeySigner(key, Logs(self._spool, self._ask), self._now_s)
        self._transport = HttpTransport(self._web, self._signer)

    def _ask(self, facility: int) -> bytes:
        said = reader(self._web)(f"/v1/facilities/{facility}/log")
        if said is None:
            raise LogRefused(f"the service knows no log of facility {facility}")
        return said

    def _now_s(self) -> int:
        return self._stack.client.head().time_s

    def send(self, events: Sequence[Mapping[str, Any]]) -> list[Result]:
        """Spool events and send them; what is answered to each. Raises RuntimeError."""
        new = [
            NewEvent(self._facility_id, event["source"], event["id"], "", orjson.dumps(event))
            for event in events
        ]
        now_s, flights = self._now_s(), Flights(self._spool)
        with self._spool.write() as db:
            if append(db, new, now_s=now_s) != len(new):
                raise RuntimeError("an event of the demo has the name of another")
        log, author, results = self._signer.log(self._facility_id), self._signer.author, []
        try:
            while (flight := flights.next(self._facility_id, log=log, author=author)) is not None:
                try:
                    answered = self._transport.send(flight)
                except Behind as error:
                    flights.begin_behind(flight, error.receipt, now_s=now_s)
                    continue
                if flights.settle(flight, answered.results, answered.receipt, now_s=now_s):
                    raise RuntimeError("a collector is ahead of the service's time")
                results += answered.results
        except AppError as error:
            raise RuntimeError(f"a collector: {error.message}") from error
        return results

    def receipts(self) -> list[Receipt]:
        """What the log was given by this key."""
        return kept_receipts(self._spool)

    def close(self) -> None:
        """Let go of the service and the spool."""
        self._transport.close()
        self._spool.close()


@dataclass(frozen=True, slots=True)
class LogRow:
    """A facility's log at the end: its entries, what keys signed of them, and whose receipts."""

    facility_id: FacilityId
    entries: int
    signed: int
    receipts: int
    held: Held


@dataclass
class Keys:
    """Who signs in the demo."""

    stack: Stack
    api_keys: list[str]
    _ledger_keys: dict[FacilityId, LedgerKey] = field(default_factory=dict)
    _collectors: dict[FacilityId, Collector] = field(default_factory=dict)
    _exits: ExitStack = field(default_factory=ExitStack)

    def name(self, operator: int) -> str:
        """An operator makes its ledger key, and its wallet names that on-chain; returns it."""
        file = self._file(operator)
        file.parent.mkdir(parents=True)
        public = make_key_file(file)
        registry = self.stack.deployment.facility_registry
        call = calldata.call("FacilityRegistry", "setLedgerKey", bytes(key_from(public)))
        self.stack.send(str(wallet(OPERATORS[operator]).address), registry, call)
        return public

    def _file(self, operator: int) -> Path:
        return self.stack.folder / "operators" / f"operator-{operator + 1}" / "ledger.key"

    def bring(self, facility_id: FacilityId, *, name: str, operator: int) -> None:
        """The ledger key brings itself into a facility's log, and a collector's key."""
        client = OperatorClient(self.stack.api_url, api_key=self.api_keys[operator])
        self._exits.callback(client.close)
        key = LedgerKey(client, self._file(operator), facility_id, now=self._now_s)
        collector = Collector(self.stack, self.stack.folder / "collectors" / name, facility_id)
        self._exits.callback(collector.close)
        key.bring(collector.key, name=f"{name}'s collector")
        self._ledger_keys[facility_id], self._collectors[facility_id] = key, collector

    def _now_s(self) -> int:
        return self.stack.client.head().time_s

    def agree(self, facility_id: FacilityId, events: Sequence[Mapping[str, Any]]) -> None:
        """The ledger key signs what is agreed. Raises RuntimeError if one is rejected."""
        answer = self._ledger_keys[facility_id].send(orjson.dumps(list(events)))
        for row in map(as_object, as_list(answer["results"])):
            if row["status"] == "rejected":
                raise RuntimeError(f"an event was rejected: {row}")

    def meter(self, facility_id: FacilityId, events: Sequence[Mapping[str, Any]]) -> list[Result]:
        """A facility's collector sends what its machines did; what is answered to each event."""
        return self._collectors[facility_id].send(events)

    def logs(self, facilities: Sequence[FacilityId] | None = None) -> list[LogRow]:
        """Hold every receipt to the logs that are published, which are read from their start."""
        web = Web(self.stack.api_url, timeout_s=_TIMEOUT_S)
        try:
            wanted = list(self._collectors) if facilities is None else facilities
            return [self._log(facility_id, reader(web)) for facility_id in wanted]
        except AppError as error:
            raise RuntimeError(f"the published logs: {error.message}") from error
        finally:
            web.close()

    def _log(self, facility_id: FacilityId, read: Read) -> LogRow:
        collector, ledger_key = self._collectors[facility_id], self._ledger_keys[facility_id]
        receipts = [*ledger_key.receipts(), *collector.receipts()]
        # The collector's first is the ledger key's last: of the entry that brought it.
        own = list({r.entry.number: r for r in receipts}.values())
        published, held = read_published(read, ledger_key.log), Held()
        hold(own, published, held)
        signed = sum(entry.author != UNSIGNED for entry in published.entries)
        return LogRow(facility_id, len(published.entries), signed, len(own), held)

    def close(self) -> None:
        """Let go of everything that is open."""
        self._exits.close()
