"""What one account holds, earned and is owed, and what it did: chain storage and indexed events."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Engine

from api.chain.calldata import checksum
from api.chain.contracts import Contracts
from api.chain.contracts.call import Call
from api.chain.contracts.delivery_desk import Voucher
from api.chain.contracts.investor_registry import Investor
from api.chain.contracts.tranche_token import Tranche, UnitPosition
from api.db.session import reading
from api.domain.capital.shares import streaming_share
from api.domain.statements.evidence import hex32
from api.domain.units import Address, Micros, TrancheId
from api.reads.listing import TrancheRow
from api.reads.market import AsOf, read_market, rows_by_token
from api.reads.sql import holders as store
from api.reads.sql.market import ZERO_ADDRESS


@dataclass(frozen=True, slots=True)
class Eligibility:
    """Whether units may leave and reach an account; None where no chain says so."""

    known: bool
    can_send: bool | None
    can_receive: bool | None
    expires_at_s: int | None
    country: int | None


@dataclass(frozen=True, slots=True)
class PositionFigures:
    """Units and revenue of an account in one tranche; minor units."""

    token_id: str
    facility_id: int
    seniority: int
    facility_name: str
    gpu_class: str
    site: str
    window_end_s: int
    state: str
    units: int
    frozen_units: int
    claimable_micros: int
    streaming_micros: int
    claimed_micros: int
    accrued_micros: int


@dataclass(frozen=True, slots=True)
class VoucherFigures:
    """Compute that an account is owed for burned units."""

    voucher_id: str
    facility_id: int
    owed_gpu_seconds: int
    served_gpu_seconds: int
    paid_gpu_seconds: int
    issued_at_s: int
    delivery_ref: str


@dataclass(frozen=True, slots=True)
class Refundable:
    """Units of a failed sale and the price that they give back."""

    token_id: str
    units: int
    amount_micros: int


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over positions; minor units."""

    claimable_micros: int = 0
    streaming_micros: int = 0
    claimed_micros: int = 0


@dataclass(frozen=True, slots=True)
class Portfolio:
    """Everything of one account as of one block."""

    address: str
    as_of: AsOf | None
    eligibility: Eligibility
    positions: tuple[PositionFigures, ...]
    total: Totals
    vouchers: tuple[VoucherFigures, ...]
    refundable: tuple[Refundable, ...]


_NOWHERE = Eligibility(
    known=False, can_send=None, can_receive=None, expires_at_s=None, country=None
)


def read_portfolio(engine: Engine, contracts: Contracts | None, address: str) -> Portfolio:
    """Positions, vouchers and refunds of an account, as of the newest indexed block.

    Raises:  ChainUnavailable.
    """
    account = address.lower()
    with reading(engine) as connection:
        found = read_market(connection)
        rows = rows_by_token(found)
        tokens = [t for t in store.tokens_of(connection, account) if t in rows]
        claimed = store.claimed_by_token(connection, account)
        issued = [r.payload for r in store.vouchers_of(connection, account)]
    if contracts is None or found.as_of is None:
        return Portfolio(checksum(address), found.as_of, _NOWHERE, (), Totals(), (), ())
    ids = [_voucher_id(payload) for payload in issued]
    entry, stored, vouchers = contracts.together(
        _asked_entry(contracts, account),
        contracts.all_of([_asked_position(contracts, account, t) for t in tokens]),
        contracts.all_of([contracts.delivery_desk.voucher_of(int(i)) for i in ids]),
    ).at(block=found.as_of.block)
    positions = [
        _position(rows[token_id], one, claimed.get(token_id, 0), found.as_of.time_s)
        for token_id, one in zip(tokens, stored, strict=True)
    ]
    held = tuple(p for p in positions if p.units or p.accrued_micros)
    return Portfolio(
        checksum(address),
        found.as_of,
        _eligibility(entry),
        held,
        Totals(
            sum(p.claimable_micros for p in held),
            sum(p.streaming_micros for p in held),
            sum(p.claimed_micros for p in held),
        ),
        tuple(_voucher(i, voucher) for i, voucher in zip(ids, vouchers, strict=True)),
        tuple(_refunds(rows, held)),
    )


# The registry that the token asks, whether it lets units leave and reach, and its entry.
_StoredEntry = tuple[Address, bool, bool, Investor]


def _asked_entry(contracts: Contracts, account: str) -> Call[_StoredEntry]:
    registry = contracts.investor_registry
    return contracts.together(
        contracts.tranche_token.investor_registry(),
        registry.can_send(account),
        registry.can_receive(account),
        registry.investor_of(account),
    )


def _eligibility(stored: _StoredEntry) -> Eligibility:
    asked, can_send, can_receive, entry = stored
    # A token that asks no registry restricts nobody, whatever the registry says.
    free = asked == ZERO_ADDRESS
    return Eligibility(
        known=entry.expires_at_s != 0,
        can_send=free or can_send,
        can_receive=free or can_receive,
        expires_at_s=entry.expires_at_s or None,
        country=entry.country or None,
    )


# The position, its frozen units, what a claim would pay, and the stream of its tranche.
_StoredPosition = tuple[UnitPosition, int, Micros, Tranche]


def _asked_position(contracts: Contracts, account: str, token_id: str) -> Call[_StoredPosition]:
    token, tranche_id = contracts.tranche_token, TrancheId(int(token_id))
    return contracts.together(
        token.position_of(account, tranche_id),
        token.frozen_units(account, tranche_id),
        token.claimable_micros(account, tranche_id),
        token.tranche_of(tranche_id),
    )


def _position(
    row: TrancheRow, stored: _StoredPosition, claimed: int, now_s: int
) -> PositionFigures:
    position, frozen, claimable, tranche = stored
    return PositionFigures(
        row.token_id,
        row.facility_id,
        row.seniority,
        row.facility_name,
        row.gpu_class,
        row.site,
        row.window_end_s,
        row.state,
        units=position.units,
        frozen_units=frozen,
        claimable_micros=claimable,
        streaming_micros=streaming_share(tranche.stream(), position.units, now_s),
        claimed_micros=claimed,
        accrued_micros=claimed + claimable,
    )


def _voucher_id(payload: str) -> str:
    return str(json.loads(payload)["voucherId"])


def _voucher(voucher_id: str, voucher: Voucher) -> VoucherFigures:
    return VoucherFigures(
        voucher_id,
        voucher.facility_id,
        voucher.owed_gpu_seconds,
        voucher.served_gpu_seconds,
        voucher.paid_gpu_seconds,
        voucher.issued_at_s,
        hex32(voucher.delivery_ref),
    )


def _refunds(
    rows: Mapping[str, TrancheRow], positions: tuple[PositionFigures, ...]
) -> list[Refundable]:
    found = []
    for p in positions:
        row = rows[p.token_id]
        if p.units and row.sale is not None and row.sale.state == "refunding" and row.price_micros:
            found.append(Refundable(p.token_id, p.units, p.units * row.price_micros))
    return found
