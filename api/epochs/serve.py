"""Serve: delivery lines of final statements count towards the open vouchers of their lease."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, Engine

from api.chain import calldata
from api.chain.contracts import Contracts
from api.chain.emitted.args import read_payload
from api.chain.emitted.delivery_desk import VoucherIssued, VoucherServed
from api.db import outbox as outbox_rows
from api.db import statements as store
from api.db import vouchers as rows
from api.db.session import reading
from api.db.trees import stored_proof
from api.domain.capital import vouchers as model
from api.domain.capital.vouchers import Voucher
from api.domain.merkle import leaf_hash, verify_proof
from api.domain.statements.lines import Line, encode_line
from api.domain.statements.statement import statement_hash
from api.domain.units import Bytes32, Epoch, FacilityId, GpuSeconds
from api.epochs.outbox import Intent

# One voucher costs about 20,000 gas, and the outbox limits a transaction.
_VOUCHERS_A_CALL = 40
# A facility with a long backlog must not keep the others waiting.
_LINES_A_ROUND = 50


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
class Services:
    """What can be served now.

    unfinished: facilities of which a line still serves open vouchers, by the index; also where
    nothing is sent for now, because the chain says otherwise.
    """

    intents: list[Intent]
    unfinished: frozenset[FacilityId]


def servable(engine: Engine, contracts: Contracts) -> Services:
    """Intents for every delivery line that open vouchers of its lease still need."""
    block = contracts.client.head().number
    with reading(engine) as connection:
        known = rows.facilities_with_vouchers(connection)
    desk, registry = contracts.delivery_desk, contracts.facility_registry
    asked = [contracts.together(desk.open_gpu_seconds(i), registry.ending_of(i)) for i in known]
    stored = contracts.all_of(asked).at(block=block) if asked else []
    intents: list[Intent] = []
    unfinished = set[FacilityId]()
    for facility_id, (gpu_seconds, ending) in zip(known, stored, strict=True):
        # Once a facility is closed, what is open is paid in money.
        if any(gpu_seconds) and not ending.closed_at_s:
            found = _servable_of(engine, contracts, facility_id, block=block)
            if found is not None:
                unfinished.add(facility_id)
                intents += found
    return Services(intents, frozenset(unfinished))


def _servable_of(
    engine: Engine, contracts: Contracts, facility_id: FacilityId, *, block: int
) -> list[Intent] | None:
    """Intents of one facility; None if no line serves a voucher."""
    final = contracts.statement_registry.epochs_final(facility_id).at(block=block)
    with reading(engine) as connection:
        books = books_of(connection, facility_id)
        lines = _lines(connection, facility_id, books, before_epoch=final)
    planned = plan(books, lines)[:_LINES_A_ROUND]
    if not planned:
        return None
    if not _agrees(contracts, facility_id, books, planned, block=block):
        return []
    with reading(engine) as connection:
        return [
            intent
            for part in planned
            if (intent := _intent(connection, contracts, facility_id, part, block=block))
        ]


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


def _agrees(
    contracts: Contracts,
    facility_id: FacilityId,
    books: Books,
    planned: Sequence[Plan],
    *,
    block: int,
) -> bool:
    """Whether the chain says of these vouchers and lines what the index does.

    Where the index is behind, or somebody else serves, the next round looks again.
    """
    desk = contracts.delivery_desk
    numbers = sorted({number for part in planned for number in part.vouchers})
    stored, used = contracts.together(
        contracts.all_of([desk.voucher_of(number) for number in numbers]),
        contracts.all_of(
            [desk.used_gpu_seconds(facility_id, p.epoch, p.line.index) for p in planned]
        ),
    ).at(block=block)
    opened = [voucher.open_gpu_seconds for voucher in stored]
    return opened == [books.vouchers[n].open for n in numbers] and used == [p.used for p in planned]


def _intent(
    connection: Connection,
    contracts: Contracts,
    facility_id: FacilityId,
    part: Plan,
    *,
    block: int,
) -> Intent | None:
    """The call for one line; None where what is stored would not be accepted."""
    epoch, line = part.epoch, part.line
    statement = store.to_statement(store.known_statement_row(connection, facility_id, epoch))
    posted = contracts.statement_registry.statement_of(facility_id, epoch).at(block=block)
    proof = stored_proof(connection, facility_id, epoch, line.index)
    sequence = outbox_rows.serve_sequence(connection, facility_id, epoch, line.index)
    leaf = leaf_hash(encode_line(facility_id, epoch, line))
    if (
        sequence is None
        or proof is None
        or posted.statement_hash != statement_hash(statement)
        or not verify_proof(proof, root=statement.usage_root, leaf=leaf)
    ):
        return None
    data = calldata.serve(part.vouchers, statement, line, proof)
    desk = contracts.delivery_desk.address
    return Intent("serve", facility_id, epoch, sequence, desk, data)
