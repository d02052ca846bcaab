"""What signatures, receipts and whole bodies add to the ingest of a batch, in one process.

Twin facilities take the same batches in turn: one by an API key's way, one signed. Each is parsed,
judged and committed; of a signed one the signature is checked twice and a receipt is signed. HTTP
is left out, so what is measured is more than a client sees.
"""

import statistics
import time
from pathlib import Path
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Engine

from api.access.accounts import add_operator
from api.db.log_keys import keep_log_keys
from api.db.migrate import upgrade
from api.db.session import open_engine, transaction
from api.domain.facility import TrancheTerms
from api.domain.log.bodies import read_plain
from api.domain.log.entry import entry_hash
from api.domain.log.keys import KeyRole, LogKey
from api.domain.log.requests import LOG_HEADER, read_request, sign_request
from api.domain.metering.events import USAGE
from api.domain.metering.instants import format_instant
from api.domain.units import ZERO32, Address, Bytes32, FacilityId, Minor, OperatorId
from api.ledger.facilities import LogHome, NewFacility, register_facility
from api.ledger.ingest import ingest
from api.ledger.kept import KeptLedgers
from api.ledger.leases import NewLease, open_lease
from api.ledger.recorder import Log
from api.ledger.signed import SignedEvents, admit, record_signed
from api.ledger.write import SignedBody
from api.local.log_keys import LogKeyFiles
from scripts.bench.load import DAY_S, GPU_CLASS, SLOT_S, device

_EVENTS, _GRACE_S = 1_000, 3_600
_LEASE, _PATH = "bench", "/v1/events"
_TYPE = "application/cloudevents-batch+json"
_START_S = 1_767_225_600


class _Twin:
    """A facility of a thousand devices, and the batch of each slot."""

    def __init__(self, engine: Engine, operator_id: OperatorId, home: LogHome, first: int) -> None:
        self.engine, self.operator_id, self._first = engine, operator_id, first
        self.kept, self.now_s = KeptLedgers(), _START_S + DAY_S
        new = NewFacility(
            facility_id=None,
            name=f"twin-{first}",
            gpu_class=GPU_CLASS,
            site="SE-LULEA-1",
            window_start_s=_START_S,
            window_end_s=_START_S + 3 * DAY_S,
            expires_at_s=_START_S + DAY_S,
            epoch_length_s=DAY_S,
            settlement_token="0x" + "11" * 20,
            promised_availability_ppm=990_000,
            fee_bps=100,
            tranches=(TrancheTerms(10),),
            device_uuids=[device(first + i) for i in range(_EVENTS)],
        )
        with transaction(engine) as connection:
            row, self.terms = register_facility(
                connection,
                operator_id=operator_id,
                new=new,
                home=home,
                grace_s=_GRACE_S,
                now_s=_START_S,
            )
        self.facility_id = FacilityId(row.facility_id)
        lease = NewLease(
            lease_id=_LEASE,
            renter_ref="bench",
            plan="on_demand",
            committed_gpus=0,
            max_gpus=0,
            opened_at_s=_START_S,
            price=Minor(1_000_000),
        )
        open_lease(engine, operator_id, self.facility_id, lease, clock=self.clock)

    def clock(self) -> int:
        """A time that stands still."""
        return self.now_s

    def body(self, slot: int) -> bytes:
        """Usage of every device in a slot."""
        start_s = _START_S + slot * SLOT_S
        return orjson.dumps([self._usage(slot, i, start_s) for i in range(_EVENTS)])

    def _usage(self, slot: int, index: int, start_s: int) -> dict[str, Any]:
        return {
            "specversion": "1.0",
            "id": f"{slot}-{index}",
            "source": "bench/1",
            "type": USAGE,
            "data": {
                "facility_id": self.facility_id,
                "device": device(self._first + index),
                "lease": _LEASE,
                "start": format_instant(start_s),
                "end": format_instant(start_s + SLOT_S),
                "gpu_seconds": SLOT_S,
            },
        }


def measure(folder: Path, *, batches: int) -> dict[str, float]:
    """Processor time an event, signed and not, medians over batches; and their ratio."""
    engine = open_engine(f"sqlite:///{folder}/signed.db")
    upgrade(engine)
    key, log_keys = Ed25519PrivateKey.generate(), LogKeyFiles(folder / "log-key.pem")
    home = LogHome(1, Address("0x" + "33" * 20), Bytes32(log_keys.public))
    with transaction(engine) as connection:
        operator_id, _ = add_operator(
            connection, name="bench", address="0x" + "22" * 20, actor="bench", now_s=_START_S
        )
    plain, signed = (_Twin(engine, operator_id, home, i * _EVENTS) for i in range(2))
    public = Bytes32(key.public_key().public_bytes_raw())
    brought = LogKey(public, KeyRole.COLLECTOR, "bench", 1, 1, ZERO32)
    with transaction(engine) as connection:
        keep_log_keys(connection, signed.facility_id, [brought], at_s=_START_S)
    log = Log(engine, signed.clock, signed.kept, log_keys)
    times: dict[str, list[float]] = {"plain": [], "signed": []}
    after = ZERO32
    for slot in range(batches):
        times["plain"].append(_unsigned(plain, plain.body(slot)))
        took_s, after = _signed(signed, signed.body(slot), log, key, after)
        times["signed"].append(took_s)
    engine.dispose()
    # The first batches find nothing in memory.
    unsigned_us, signed_us = (
        statistics.median(times[name][2:]) * 1e6 / _EVENTS for name in ("plain", "signed")
    )
    ratios = [s / p for p, s in zip(times["plain"][2:], times["signed"][2:], strict=True)]
    return {
        "unsigned_us": unsigned_us,
        "signed_us": signed_us,
        "times": statistics.median(ratios),
    }


def _unsigned(twin: _Twin, body: bytes) -> float:
    began = time.process_time()
    batch = read_plain(body)
    results = ingest(
        twin.engine,
        twin.operator_id,
        batch.events,
        broken=batch.broken,
        clock=twin.clock,
        kept=twin.kept,
    )
    took_s = time.process_time() - began
    assert all(result.status == "accepted" for result in results)
    return took_s


def _signed(
    twin: _Twin, body: bytes, log: Log, key: Ed25519PrivateKey, after: Bytes32
) -> tuple[float, Bytes32]:
    headers = sign_request(
        key,
        path=_PATH,
        content_type=_TYPE,
        body=body,
        log=twin.terms.log,
        after=after,
        created_s=twin.now_s,
    )
    began = time.process_time()
    request = read_request(headers, path=_PATH)
    admit(log, request, name=headers[LOG_HEADER], digest=headers["content-digest"])
    batch = read_plain(body)
    told = SignedEvents(batch.events, batch.broken)
    signed = SignedBody(twin.facility_id, request, body)
    done = record_signed(log, signed, told, named_now=lambda _account, _key: None)
    took_s = time.process_time() - began
    assert all(result.status == "accepted" for result in done.results)
    return took_s, entry_hash(done.receipt.entry)
