"""What one account holds, earned and is owed, and what it did: chain storage and indexed events."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from api.chain.calldata import checksum
from api.chain.contracts import Contracts
from api.chain.contracts.call import Call
from api.chain.contracts.delivery_desk import Voucher
from api.chain.contracts.investor_registry import Investor
from api.chain.contracts.tranche_token import Tranche, UnitPosition
from api.db.session import Connection, Engine, reading
from api.domain.capital.shares import streaming_share
from api.domain.statements.evidence import hex32
from api.domain.units import (
    MAX_I64,
    ZERO_ADDRESS,
    Address,
    Micros,
    TrancheId,
    split_tranche_id,
    tranche_id,
)
from api.reads.listing import TrancheView
from api.reads.market import AsOfView, as_of_last_block, read_market
from api.reads.sql import holders
from api.reads.wallets import WalletView, asked_wallet, wallet_view


@dataclass(frozen=True, slots=True)
class EligibilityView:
    """Whether units may leave and reach an account; None where no chain says so."""

    known: bool
    can_send: bool | None
    can_receive: bool | None
    expires_at_s: int | None
    country: int | None


@dataclass(frozen=True, slots=True)
class PositionView:
    """Units and revenue of an account in one tranche; minor units."""

    token_id: str
    facility_id: int
    seniority: int
    tranche_count: int
    facility_name: str
    gpu_class: str
    site: str
    window_end_s: int
    state: str
    units: int
    movable: bool
    frozen_units: int
    claimable_micros: int
    streaming_micros: int
    claimed_micros: int
    accrued_micros: int


@dataclass(frozen=True, slots=True)
class VoucherView:
    """Compute that an account is owed for burned units, and money for what is not served."""

    voucher_id: str
    facility_id: int
    token_id: str
    units: int
    owed_gpu_seconds: int
    served_gpu_seconds: int
    payable_micros: int
    paid_micros: int
    issued_at_s: int
    lease: str


@dataclass(frozen=True, slots=True)
class RefundableView:
    """Units of a failed sale and the price that they give back."""

    token_id: str
    units: int
    amount_micros: int


@dataclass(frozen=True, slots=True)
class TotalsView:
    """Sums over positions; minor units."""

    claimable_micros: int = 0
    streaming_micros: int = 0
    claimed_micros: int = 0


@dataclass(frozen=True, slots=True)
class PortfolioView:
    """Everything of one account as of one block."""

    address: str
    as_of: AsOfView | None
    eligibility: EligibilityView
    wallet: WalletView
    positions: tuple[PositionView, ...]
    total: TotalsView
    vouchers: tuple[VoucherView, ...]
    refundable: tuple[RefundableView, ...]


_NOWHERE = EligibilityView(
    known=False, can_send=None, can_receive=None, expires_at_s=None, country=None
)


def read_portfolio(engine: Engine, contracts: Contracts | None, address: str) -> PortfolioView:
    """Positions, vouchers and refunds of an account, as of the newest indexed block.

    Raises:  ChainUnavailable.
    """
    # The index holds addresses in lower case.
    account = address.lower()
    with reading(engine) as connection:
        as_of = as_of_last_block(connection)
        tranches = _tranches(connection, holders.tranches_of(connection, account))
        claimed = holders.claimed_by_tranche(connection, account)
        voucher_ids = holders.vouchers_of(connection, account)
        lost = holders.recovered_from(connection, account)
    if contracts is None or as_of is None:
        nothing = (_NOWHERE, WalletView(), (), TotalsView(), (), ())
        return PortfolioView(checksum(address), as_of, *nothing)
    # At the indexed block, so that events and storage of one answer agree.
    entry, wallet, stored, vouchers = contracts.together(
        _asked_entry(contracts, account),
        asked_wallet(contracts, account),
        contracts.all_of([_asked_position(contracts, account, t) for t in tranches]),
        contracts.all_of([_asked_voucher(contracts, i) for i in voucher_ids]),
    ).at(block=as_of.block)
    positions = [
        _position(tranche, position, claimed=claimed.get(token_id, Micros(0)), now_s=as_of.time_s)
        for (token_id, tranche), position in zip(tranches.items(), stored, strict=True)
    ]
    # An account that sold all its units keeps the position: it shows what they earned.
    held = tuple(p for p in positions if p.units or p.accrued_micros)
    return PortfolioView(
        checksum(address),
        as_of,
        _eligibility(entry),
        wallet_view(wallet, lost, now_s=as_of.time_s),
        held,
        TotalsView(
            sum(p.claimable_micros for p in held),
            sum(p.streaming_micros for p in held),
            sum(p.claimed_micros for p in held),
        ),
        tuple(_voucher(i, voucher) for i, voucher in zip(voucher_ids, vouchers, strict=True)),
        tuple(_refundable(tranches, held)),
    )


def _tranches(connection: Connection, touched: Sequence[TrancheId]) -> dict[TrancheId, TrancheView]:
    """The tranches among these that we know, in the same order. Reads their facilities only."""
    facility_ids = {split_tranche_id(token_id)[0] for token_id in touched}
    market = read_market(connection, {i for i in facility_ids if i <= MAX_I64})
    by_id = {TrancheId(int(t.token_id)): t for t in market.tranches}
    return {token_id: by_id[token_id] for token_id in touched if token_id in by_id}


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


def _eligibility(stored: _StoredEntry) -> EligibilityView:
    asked, can_send, can_receive, entry = stored
    # A token that asks no registry restricts nobody, whatever the registry says.
    free = asked == ZERO_ADDRESS
    return EligibilityView(
        known=entry.expires_at_s != 0,
        can_send=free or can_send,
        can_receive=free or can_receive,
        expires_at_s=entry.expires_at_s or None,
        country=entry.country or None,
    )


# The position, its frozen units, what a claim would pay, and the stream of its tranche.
_StoredPosition = tuple[UnitPosition, int, Micros, Tranche]


def _asked_position(
    contracts: Contracts, account: str, token_id: TrancheId
) -> Call[_StoredPosition]:
    token = contracts.tranche_token
    return contracts.together(
        token.position_of(account, token_id),
        token.frozen_units(account, token_id),
        token.claimable_micros(account, token_id),
        token.tranche_of(token_id),
    )


def _position(
    tranche: TrancheView, stored: _StoredPosition, *, claimed: Micros, now_s: int
) -> PositionView:
    position, frozen, claimable, stored_tranche = stored
    return PositionView(
        tranche.token_id,
        tranche.facility_id,
        tranche.seniority,
        tranche.tranche_count,
        tranche.facility_name,
        tranche.gpu_class,
        tranche.site,
        tranche.window_end_s,
        tranche.state,
        units=position.units,
        movable=stored_tranche.stream().activated,
        frozen_units=frozen,
        claimable_micros=claimable,
        streaming_micros=streaming_share(
            stored_tranche.stream(), units=position.units, now_s=now_s
        ),
        claimed_micros=claimed,
        accrued_micros=claimed + claimable,
    )


# The voucher, what it could be credited with now, and what it was credited with so far.
_StoredVoucher = tuple[Voucher, Micros, Micros]


def _asked_voucher(contracts: Contracts, voucher_id: int) -> Call[_StoredVoucher]:
    lockbox = contracts.rent_lockbox
    return contracts.together(
        contracts.delivery_desk.voucher_of(voucher_id),
        lockbox.payable_to_voucher_micros(voucher_id),
        lockbox.paid_to_voucher_micros(voucher_id),
    )


def _voucher(voucher_id: int, stored: _StoredVoucher) -> VoucherView:
    voucher, payable_micros, paid_micros = stored
    return VoucherView(
        voucher_id=str(voucher_id),
        facility_id=voucher.facility_id,
        token_id=str(tranche_id(voucher.facility_id, voucher.seniority)),
        units=voucher.units,
        owed_gpu_seconds=voucher.owed_gpu_seconds,
        served_gpu_seconds=voucher.served_gpu_seconds,
        payable_micros=payable_micros,
        paid_micros=paid_micros,
        issued_at_s=voucher.issued_at_s,
        lease=hex32(voucher.lease),
    )


def _refundable(
    tranches: Mapping[TrancheId, TrancheView], positions: Sequence[PositionView]
) -> Iterator[RefundableView]:
    for position in positions:
        tranche = tranches[TrancheId(int(position.token_id))]
        price, sale = tranche.price_micros, tranche.sale
        if position.units and price and sale is not None and sale.state == "refunding":
            yield RefundableView(position.token_id, position.units, position.units * price)
