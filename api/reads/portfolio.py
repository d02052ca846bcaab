"""What one account holds, earned and is owed, and what it did: chain storage and indexed events."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine

from api.chain.calldata import checksum
from api.chain.client import ChainClient, Read
from api.chain.deployment import Deployment
from api.db.session import reading
from api.domain.capital.accumulator import Stream
from api.domain.capital.shares import streaming_share
from api.domain.statements.evidence import hex32
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


def read_portfolio(
    engine: Engine, client: ChainClient, deployment: Deployment | None, address: str
) -> Portfolio:
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
    if deployment is None or found.as_of is None:
        return Portfolio(checksum(address), found.as_of, _NOWHERE, (), Totals(), (), ())
    reads = _eligibility_reads(deployment, account)
    for token_id in tokens:
        reads += _position_reads(deployment, account, int(token_id))
    ids = [_voucher_id(payload) for payload in issued]
    desk = deployment.delivery_desk
    reads += [Read("DeliveryDesk", desk, "voucherOf", (int(i),)) for i in ids]
    stored = client.read_many(reads, block=found.as_of.block)
    eligibility, rest = _eligibility(stored[:4]), stored[4:]
    positions = []
    for i, token_id in enumerate(tokens):
        values = rest[i * _READS : (i + 1) * _READS]
        taken = claimed.get(token_id, 0)
        positions.append(_position(rows[token_id], values, taken, found.as_of.time_s))
    held = tuple(p for p in positions if p.units or p.accrued_micros)
    vouchers = zip(ids, rest[len(tokens) * _READS :], strict=True)
    return Portfolio(
        checksum(address),
        found.as_of,
        eligibility,
        held,
        Totals(
            sum(p.claimable_micros for p in held),
            sum(p.streaming_micros for p in held),
            sum(p.claimed_micros for p in held),
        ),
        tuple(_voucher(voucher_id, value) for voucher_id, value in vouchers),
        tuple(_refunds(rows, held)),
    )


def _eligibility_reads(deployment: Deployment, account: str) -> list[Read]:
    registry = deployment.investor_registry
    return [
        Read("TrancheToken", deployment.tranche_token, "investorRegistry"),
        *(
            Read("InvestorRegistry", registry, name, (account,))
            for name in ("canSend", "canReceive", "investorOf")
        ),
    ]


def _eligibility(values: list[Any]) -> Eligibility:
    asked, can_send, can_receive, entry = values
    expires_at_s, country = entry[0], entry[1]
    # A token that asks no registry restricts nobody, whatever the registry says.
    free = asked == ZERO_ADDRESS
    return Eligibility(
        known=expires_at_s != 0,
        can_send=free or can_send,
        can_receive=free or can_receive,
        expires_at_s=expires_at_s or None,
        country=country or None,
    )


_READS = 4


def _position_reads(deployment: Deployment, account: str, token_id: int) -> list[Read]:
    token, both = deployment.tranche_token, (account, token_id)
    return [
        Read("TrancheToken", token, "positionOf", both),
        Read("TrancheToken", token, "getFrozenTokens", both),
        Read("TrancheToken", token, "claimable", both),
        Read("TrancheToken", token, "trancheOf", (token_id,)),
    ]


def _position(row: TrancheRow, values: list[Any], claimed: int, now_s: int) -> PositionFigures:
    position, frozen, claimable, stream = values
    return PositionFigures(
        row.token_id,
        row.facility_id,
        row.seniority,
        row.facility_name,
        row.gpu_class,
        row.site,
        row.window_end_s,
        row.state,
        units=position[2],
        frozen_units=frozen,
        claimable_micros=claimable,
        streaming_micros=streaming_share(Stream(*stream), position[2], now_s),
        claimed_micros=claimed,
        accrued_micros=claimed + claimable,
    )


def _voucher_id(payload: str) -> str:
    return str(json.loads(payload)["voucherId"])


def _voucher(voucher_id: str, value: Any) -> VoucherFigures:
    _, facility_id, owed, served, paid, issued_at_s, delivery_ref = value
    return VoucherFigures(
        voucher_id, facility_id, owed, served, paid, issued_at_s, hex32(delivery_ref)
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
