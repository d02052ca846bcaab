"""Rows of the index: whose an event is, its amounts, and all its arguments as JSON."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from operator import attrgetter

from api.chain.emitted.args import EventArgs, write_payload
from api.chain.emitted.rent_lockbox import FacilityClosed
from api.chain.emitted.statement_registry import StatementPosted
from api.chain.events import AnyEvent
from api.chain.structs import members, to_abi
from api.db.chain_store import EventRow
from api.domain.units import MAX_I64, Bytes32, Epoch, FacilityId, split_tranche_id

# Whose event it is, and its second number: fee, what still streams, where a voiding ends, units.
_ACCOUNTS = ("attester", "holder", "payer", "buyer", "gpuOperator", "from", "wallet")
_AMOUNTS = ("amount", "value", "cost")
_EXTRAS = (
    *("fee", "unvested", "epochsPostedBefore", "publishedBefore", "gpuSeconds", "units", "state"),
    "unearned",
)
Of = Callable[[EventArgs], object]


@dataclass(frozen=True, slots=True)
class _Columns:
    """What gives the values of the columns, for the events of one kind."""

    of_facility: bool
    facility: Of
    epoch: Of
    token: Of
    account: Of
    counterparty: Of
    amount: Of
    second: Of
    statement_hash: Of


def _nothing(_args: EventArgs) -> None:
    """The kind has no such argument."""


def _columns(event: type) -> _Columns:
    return _made_columns(event)


# Looked up once a kind, and not once an event: there are millions.
@cache
def _made_columns(event: type) -> _Columns:
    fields = {member.name: member.field for member in members(event)}

    def of(*names: str) -> Of:
        """The argument by the first of some names in Solidity that the kind has."""
        field = next((fields[name] for name in names if name in fields), None)
        return _nothing if field is None else attrgetter(field)

    return _Columns(
        of_facility="facilityId" in fields,
        facility=of("facilityId"),
        epoch=of("epoch", "settledEpochs"),
        token=of("id"),
        account=of(*_ACCOUNTS),
        counterparty=of("to"),
        amount=of(*_AMOUNTS),
        second=of(*_EXTRAS),
        statement_hash=of("statementHash"),
    )


def _number(value: object) -> int | None:
    """A number; None also for one that the database has no room for."""
    return int(value) if isinstance(value, int) and abs(value) <= MAX_I64 else None


def _text(value: object) -> str | None:
    """A number of any size, or an address, as text."""
    return value if value is None or isinstance(value, str) else str(to_abi(value))


def event_row(event: AnyEvent) -> EventRow:
    """Row of `chain_events` for one event."""
    args = event.args
    of = _columns(type(args))
    token_id, statement_hash = of.token(args), of.statement_hash(args)
    facility_id, epoch = _number(of.facility(args)), _number(of.epoch(args))
    if not of.of_facility and isinstance(token_id, int):
        facility_id = _number(split_tranche_id(token_id)[0])
    amount = _number(of.amount(args))
    if isinstance(args, StatementPosted):
        amount = _number(args.statement.gross_revenue_micros)
    elif isinstance(args, FacilityClosed):
        amount = _number(args.closing.bond_micros + args.closing.escrow_micros)
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
        token_id=_text(token_id),
        account=_text(of.account(args)),
        counterparty=_text(of.counterparty(args)),
        amount=amount,
        extra=_number(of.second(args)),
        statement_hash=Bytes32(statement_hash) if isinstance(statement_hash, bytes) else None,
        payload=write_payload(args),
    )
