"""Serve: delivery lines of final statements count towards the open vouchers of their lease."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from api.chain import calldata
from api.chain.answers import Block
from api.chain.contracts import Contracts
from api.chain.emitted.args import read_payload
from api.chain.emitted.delivery_desk import VoucherIssued, VoucherServed
from api.chain.packed import packed
from api.db import chain_store
from api.db import outbox as outbox_rows
from api.db import statements as store
from api.db import vouchers as rows
from api.db.session import Connection, Engine, reading
from api.db.trees import stored_proof
from api.domain.capital import vouchers as model
from api.domain.capital.vouchers import Voucher
from api.domain.merkle import leaf_hash, verify_proof
from api.domain.statements.lines import Line, encode_line
from api.domain.statements.statement import statement_hash
from api.domain.units import Bytes32, Epoch, FacilityId, GpuSeconds
from api.epochs.outbox import Intent
from api.epochs.queue import NOTHING, Look

# One voucher costs about 20,000 gas, and the outbox limits a transaction.
_VOUCHERS_A_CALL = 40
# A facility with a long backlog must not keep the others waiting.
_LINES_A_ROUND = 50
_WAITS = "the index and the chain differ on its vouchers: it is looked at again"


@dataclass(frozen=True, slots=True)
class Books:
    """A facility's vouchers, and GPU-seconds that lines gave them, from indexed events."""

    vouchers: Mapping[int, Voucher]
    leases: Mapping[int, Bytes32]
    used: Mapping[tuple[Epoch, int], int]


@dataclass(frozen=True, slots=True)
class Plan:
    """One delivery line, and the vouchers that it serves, oldest first."""

    epoch: Epoch
    line: Line
    used: int
    vouchers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Open:
    """What the contracts say of a facility with vouchers.

    closed: then what is open is paid in money.
    """

    gpu_seconds: int
    closed: bool
    epochs_final: int

    @property
    def serves(self) -> bool:
        """Whether any line may count."""
        return self.gpu_seconds > 0 and not self.closed


@dataclass(frozen=True, slots=True)
class _Read:
    """What was read at one block, of facilities that have vouchers."""

    head: Block
    window_s: int
    open: Mapping[FacilityId, _Open]


class Serve:
    """The step, for every delivery line that open vouchers of its lease still need."""

    name = "serve"

    def __init__(self, engine: Engine, contracts: Contracts) -> None:
        self._engine, self._contracts = engine, contracts

    def read(self, facility_ids: Sequence[FacilityId], head: Block) -> _Read:
        """What is open of those that have vouchers, by the index; nobody else is asked for."""
        contracts = self._contracts
        with reading(self._engine) as connection:
            known = set(rows.facilities_with_vouchers(connection))
        some = [i for i in facility_ids if i in known]
        desk, registry = contracts.delivery_desk, contracts.facility_registry
        asked = contracts.all_of(
            [
                contracts.together(
                    desk.open_gpu_seconds(i),
                    registry.ending_of(i),
                    contracts.statement_registry.epochs_final(i),
                )
                for i in some
            ]
        )
        window = contracts.statement_registry.challenge_window_s()
        together = contracts.together(asked, window)
        answers, window_s = packed(together, block=head.number) if some else ([], 0)
        return _Read(
            head,
            window_s,
            {
                i: _Open(sum(gpu_seconds), ending.closed_at_s > 0, final)
                for i, (gpu_seconds, ending, final) in zip(some, answers, strict=True)
            },
        )

    def one(self, facility_id: FacilityId, read: _Read) -> Look:
        """Intents of one facility."""
        found = read.open.get(facility_id)
        if found is None or not found.serves:
            return NOTHING
        books, planned = self._plan(facility_id, found)
        if not planned:
            with reading(self._engine) as connection:
                final_s = chain_store.next_final_s(
                    connection, facility_id, window_s=read.window_s, now_s=read.head.time_s
                )
            return NOTHING if final_s is None else Look(from_block_s=final_s)
        intents = _intents(
            self._engine, self._contracts, facility_id, books, planned, block=read.head.number
        )
        return Look(tuple(intents)) if intents else Look(waits=_WAITS)

    def unfinished(self, facility_id: FacilityId, head: Block) -> bool:
        """Whether a line still serves open vouchers of a facility, by the index; also where nothing
        can be sent for now, because the chain says otherwise."""
        found = self.read([facility_id], head).open.get(facility_id)
        return found is not None and found.serves and bool(self._plan(facility_id, found)[1])

    def _plan(self, facility_id: FacilityId, found: _Open) -> tuple[Books, list[Plan]]:
        with reading(self._engine) as connection:
            books = books_of(connection, facility_id)
            lines = _lines(connection, facility_id, books, before_epoch=found.epochs_final)
        return books, plan(books, lines)[:_LINES_A_ROUND]


def books_of(connection: Connection, facility_id: FacilityId) -> Books:
    """Replay what became of a facility's vouchers."""
    vouchers: dict[int, Voucher] = {}
    leases: dict[int, Bytes32] = {}
    used: dict[tuple[Epoch, int], int] = {}
    for row in rows.voucher_events(connection, facility_id):
        match row.event:
            case "VoucherIssued":
                issued = read_payload(VoucherIssued, row.payload)
                owed = GpuSeconds(issued.owed_gpu_seconds)
                vouchers[issued.voucher_id] = Voucher(issued.units, owed, row.block_time_s)
                leases[issued.voucher_id] = issued.lease
            case _:
                served = read_payload(VoucherServed, row.payload)
                before = vouchers[served.voucher_id]
                gpu_seconds = GpuSeconds(before.served + served.gpu_seconds)
                vouchers[served.voucher_id] = replace(before, served=gpu_seconds)
                place = (served.epoch, served.index)
                used[place] = used.get(place, 0) + served.gpu_seconds
    return Books(vouchers, leases, used)


def _lines(
    connection: Connection, facility_id: FacilityId, books: Books, *, before_epoch: int
) -> list[tuple[Epoch, Line]]:
    """Delivery lines that may serve what is open. No line of before an open voucher does."""
    opened = {number: v for number, v in books.vouchers.items() if v.open}
    if not opened:
        return []
    return rows.delivery_lines(
        connection,
        facility_id,
        {books.leases[number] for number in opened},
        from_s=min(voucher.issued_at_s for voucher in opened.values()),
        before_epoch=before_epoch,
    )


def plan(books: Books, lines: Sequence[tuple[Epoch, Line]]) -> list[Plan]:
    """Which line serves which vouchers: lines in order, of each the oldest vouchers first."""
    vouchers, planned = dict(books.vouchers), []
    for epoch, line in lines:
        used = books.used.get((epoch, line.index), 0)
        fitting = [
            number
            for number, voucher in sorted(vouchers.items())
            if books.leases[number] == line.lease
            and model.servable(voucher, line_start_s=line.start_s)
        ][:_VOUCHERS_A_CALL]
        unused = GpuSeconds(line.interval_s - used)
        served = model.serve([vouchers[number] for number in fitting], unused=unused)
        changed = tuple(
            number
            for number, after in zip(fitting, served.vouchers, strict=True)
            if after != vouchers[number]
        )
        if changed:
            planned.append(Plan(epoch, line, used, changed))
            vouchers |= dict(zip(fitting, served.vouchers, strict=True))
    return planned


def _intents(
    engine: Engine,
    contracts: Contracts,
    facility_id: FacilityId,
    books: Books,
    planned: Sequence[Plan],
    *,
    block: int,
) -> list[Intent]:
    """Calls for the lines that were planned; none where the chain says of these vouchers and lines
    another thing than the index: it is behind, or somebody else serves."""
    desk, registry = contracts.delivery_desk, contracts.statement_registry
    numbers = sorted({number for part in planned for number in part.vouchers})
    epochs = sorted({part.epoch for part in planned})
    stored, used, posted = packed(
        contracts.together(
            contracts.all_of([desk.voucher_of(number) for number in numbers]),
            contracts.all_of(
                [desk.used_gpu_seconds(facility_id, p.epoch, p.line.index) for p in planned]
            ),
            contracts.all_of([registry.statement_of(facility_id, epoch) for epoch in epochs]),
        ),
        block=block,
    )
    opened = [voucher.open_gpu_seconds for voucher in stored]
    if opened != [books.vouchers[n].open for n in numbers] or used != [p.used for p in planned]:
        return []
    hashes = {e: record.statement_hash for e, record in zip(epochs, posted, strict=True)}
    with reading(engine) as connection:
        return [
            intent
            for part in planned
            if (intent := _intent(connection, desk.address, facility_id, part, hashes[part.epoch]))
        ]


def _intent(
    connection: Connection, desk: str, facility_id: FacilityId, part: Plan, posted: Bytes32
) -> Intent | None:
    """The call for one line; None where what is stored would not be accepted."""
    epoch, line = part.epoch, part.line
    statement = store.to_statement(store.known_statement_row(connection, facility_id, epoch))
    proof = stored_proof(connection, facility_id, epoch, line.index)
    sequence = outbox_rows.serve_sequence(connection, facility_id, epoch, line.index)
    leaf = leaf_hash(encode_line(facility_id, epoch, line))
    if (
        sequence is None
        or proof is None
        or posted != statement_hash(statement)
        or not verify_proof(proof, root=statement.usage_root, leaf=leaf)
    ):
        return None
    data = calldata.serve(part.vouchers, statement, line, proof)
    return Intent("serve", facility_id, epoch, sequence, desk, data)
