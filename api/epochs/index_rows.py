"""Rows of the index: whose an event is, its amounts, and all its arguments as JSON."""

from api.chain.emitted.args import EventArgs, named, write_payload
from api.chain.emitted.rent_lockbox import FacilityClosed
from api.chain.emitted.statement_registry import StatementPosted
from api.chain.events import AnyEvent
from api.db.chain_store import EventRow
from api.domain.units import MAX_I64, Bytes32, Epoch, FacilityId, split_tranche_id

# Whose event it is, and its second number: fee, what still streams, where a voiding ends, units.
_ACCOUNTS = ("attester", "holder", "payer", "buyer", "gpuOperator", "from", "wallet")
_AMOUNTS = ("amount", "value", "cost")
_EXTRAS = (
    *("fee", "unvested", "epochsPostedBefore", "publishedBefore", "gpuSeconds", "units", "state"),
    "unearned",
)


class _Named:
    """Arguments of an event by their names in Solidity: the first of some names that is there."""

    def __init__(self, args: EventArgs) -> None:
        self._args = named(args)

    def number(self, *names: str) -> int | None:
        """A number; None also for one that the database has no room for."""
        number = self._first(names)
        return number if isinstance(number, int) and abs(number) <= MAX_I64 else None

    def text(self, *names: str) -> str | None:
        """A number of any size, or an address, as text."""
        value = self._first(names)
        return None if value is None else str(value)

    def hash(self, name: str) -> Bytes32 | None:
        """A hash."""
        value = self._args.get(name)
        return Bytes32(value) if isinstance(value, bytes) else None

    def _first(self, names: tuple[str, ...]) -> object:
        return next((self._args[n] for n in names if n in self._args), None)


def event_row(event: AnyEvent) -> EventRow:
    """Row of `chain_events` for one event."""
    args = _Named(event.args)
    token_id = args.text("id")
    facility_id, epoch = args.number("facilityId"), args.number("epoch", "settledEpochs")
    if args.text("facilityId") is None and token_id is not None:
        owner = split_tranche_id(int(token_id))[0]
        facility_id = owner if owner <= MAX_I64 else None
    amount = args.number(*_AMOUNTS)
    if isinstance(event.args, StatementPosted):
        gross = event.args.statement.gross_revenue_micros
        amount = gross if abs(gross) <= MAX_I64 else None
    elif isinstance(event.args, FacilityClosed):
        shared = event.args.closing.bond_micros + event.args.closing.escrow_micros
        amount = shared if shared <= MAX_I64 else None
    return EventRow(
        block_number=event.block_number,
        log_index=event.log_index,
        part=event.part,
        block_time_s=event.block_time_s,
        tx_hash=event.tx_hash,
        contract=event.contract,
        event=event.name,
        facility_id=None if facility_id is None else FacilityId(facility_id),
        epoch=None if epoch is None else Epoch(epoch),
        token_id=token_id,
        account=args.text(*_ACCOUNTS),
        counterparty=args.text("to"),
        amount=amount,
        extra=args.number(*_EXTRAS),
        statement_hash=args.hash("statementHash"),
        payload=write_payload(event.args),
    )
