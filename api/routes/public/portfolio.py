"""What one account holds, earned and is owed."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.reads.portfolio import (
    EligibilityView,
    PortfolioView,
    PositionView,
    RefundableView,
    TotalsView,
    VoucherView,
    read_portfolio,
)
from api.reads.wallets import ProposalView, WalletView
from api.routes.http.parameters import AddressPath
from api.routes.http.problems import errors
from api.routes.http.schemas import MICROS
from api.routes.public.tranches import AsOfOut, to_api_as_of
from api.routes.service import ServiceDep

router = APIRouter(tags=["public"])


class EligibilityOut(BaseModel):
    """Whether units may leave and reach the account."""

    known: bool = Field(description="Whether the investor registry has an entry of its own.")
    can_send: bool | None = Field(description="Units may leave; null without a chain.")
    can_receive: bool | None = Field(description="Units may reach it; null without a chain.")
    expires_at_s: int | None = Field(description="When the entry ends, UTC seconds.")
    country: int | None = Field(
        description="ISO 3166-1 numeric code; null if the entry names none."
    )


class ProposalOut(BaseModel):
    """What is proposed for the wallet. Any act of the wallet, or `WalletDesk.cancel`, ends it."""

    number: str = Field(description="Number of the proposal as decimal text.")
    kind: str = Field(
        description="`recovery`: everything goes to another wallet. `beneficiary`: money of a"
        " contract that cannot claim is paid to another account."
    )
    to: str = Field(description="Who would get it; checksummed address.")
    proposed_at_s: int = Field(description="When it was proposed, UTC seconds.")
    opens_at_s: int | None = Field(
        description="When it can be executed, UTC seconds; null before a second role confirmed it."
    )
    closes_at_s: int = Field(description="When it lapses, UTC seconds.")


class WalletOut(BaseModel):
    """Whether the wallet is said to be lost, was recovered, or took others over."""

    proposal: ProposalOut | None = Field(description="What is proposed now; null for nothing.")
    recovered_to: str | None = Field(
        description="The wallet to which everything of this one belongs; null if none does."
    )
    recovered_from: list[str] = Field(
        description="Lost wallets of which everything belongs to this one, oldest first. What has"
        " not moved yet, such as units before funding, is in their portfolios."
    )


class PositionOut(BaseModel):
    """Units and revenue in one tranche."""

    token_id: str = Field(description="ERC-1155 id as decimal text.")
    facility_id: int = Field(description="Facility.")
    seniority: int = Field(description="Rank in the waterfall; 0 is paid first.")
    tranche_count: int = Field(description="Tranches of the facility; 1 to 4.")
    facility_name: str = Field(description="Name of the facility.")
    gpu_class: str = Field(description="SKU.")
    site: str = Field(description="Data centre.")
    window_end_s: int = Field(description="End of the delivery window, UTC seconds.")
    state: str = Field(description="State of the facility.")
    units: int = Field(description="Units held, GPU-hours.")
    movable: bool = Field(
        description="Whether units move at all: not before the facility is funded."
    )
    frozen_units: int = Field(description="Units frozen, GPU-hours; may exceed those held.")
    claimable_micros: int = Field(description=f"What a claim would pay now; {MICROS}.")
    streaming_micros: int = Field(
        description=f"Share of what still streams, rounded down; {MICROS}."
    )
    claimed_micros: int = Field(description=f"Taken so far; {MICROS}.")
    accrued_micros: int = Field(description=f"Claimed and claimable together; {MICROS}.")


class TotalsOut(BaseModel):
    """Sums over positions."""

    claimable_micros: int = Field(description=f"What a claim of all would pay now; {MICROS}.")
    streaming_micros: int = Field(description=f"Still streams; {MICROS}.")
    claimed_micros: int = Field(description=f"Taken so far; {MICROS}.")


class VoucherOut(BaseModel):
    """Compute that is owed for burned units."""

    voucher_id: str = Field(description="Number of the voucher as decimal text.")
    facility_id: int = Field(description="Facility that owes the compute.")
    token_id: str = Field(description="Tranche of the burned units as decimal text.")
    units: int = Field(description="Units that were burned, GPU-hours of the whole window.")
    owed_gpu_seconds: int = Field(description="GPU-seconds owed when they were burned.")
    served_gpu_seconds: int = Field(description="GPU-seconds proven as delivered.")
    payable_micros: int = Field(
        description="What anybody can have credited to its holder now, with"
        f" `RentLockbox.payVoucher`; 0 before the closing; {MICROS}."
    )
    paid_micros: int = Field(description=f"Credited to its holder so far; {MICROS}.")
    issued_at_s: int = Field(description="When the units were burned, UTC seconds.")
    lease: str = Field(description="Lease hash of its delivery lines, 0x-hex.")


class RefundableOut(BaseModel):
    """Units of a failed sale."""

    token_id: str = Field(description="ERC-1155 id as decimal text.")
    units: int = Field(description="Units that can be given back, GPU-hours.")
    amount_micros: int = Field(description=f"Their price; {MICROS}.")


class PortfolioOut(BaseModel):
    """Everything of one account."""

    address: str = Field(description="Checksummed address.")
    as_of: AsOfOut | None = Field(description="Newest indexed block; null if none is.")
    eligibility: EligibilityOut = Field(description="What the registry says of the account.")
    wallet: WalletOut = Field(description="Recovery of this wallet, and of lost ones to it.")
    positions: list[PositionOut] = Field(description="By token id, also those sold but earned in.")
    total: TotalsOut = Field(description="All positions together.")
    vouchers: list[VoucherOut] = Field(description="Vouchers, oldest first.")
    refundable: list[RefundableOut] = Field(description="Units of failed sales.")


def to_api_eligibility(eligibility: EligibilityView) -> EligibilityOut:
    """Whether units may leave and reach an account."""
    return EligibilityOut(
        known=eligibility.known,
        can_send=eligibility.can_send,
        can_receive=eligibility.can_receive,
        expires_at_s=eligibility.expires_at_s,
        country=eligibility.country,
    )


def to_api_proposal(proposal: ProposalView) -> ProposalOut:
    """What is proposed."""
    return ProposalOut(
        number=proposal.number,
        kind=proposal.kind,
        to=proposal.to,
        proposed_at_s=proposal.proposed_at_s,
        opens_at_s=proposal.opens_at_s,
        closes_at_s=proposal.closes_at_s,
    )


def to_api_wallet(wallet: WalletView) -> WalletOut:
    """What the WalletDesk says of a wallet."""
    return WalletOut(
        proposal=None if wallet.proposal is None else to_api_proposal(wallet.proposal),
        recovered_to=wallet.recovered_to,
        recovered_from=list(wallet.recovered_from),
    )


def to_api_position(position: PositionView) -> PositionOut:
    """Units and revenue in one tranche."""
    return PositionOut(
        token_id=position.token_id,
        facility_id=position.facility_id,
        seniority=position.seniority,
        tranche_count=position.tranche_count,
        facility_name=position.facility_name,
        gpu_class=position.gpu_class,
        site=position.site,
        window_end_s=position.window_end_s,
        state=position.state,
        units=position.units,
        movable=position.movable,
        frozen_units=position.frozen_units,
        claimable_micros=position.claimable_micros,
        streaming_micros=position.streaming_micros,
        claimed_micros=position.claimed_micros,
        accrued_micros=position.accrued_micros,
    )


def to_api_totals(totals: TotalsView) -> TotalsOut:
    """Sums over positions."""
    return TotalsOut(
        claimable_micros=totals.claimable_micros,
        streaming_micros=totals.streaming_micros,
        claimed_micros=totals.claimed_micros,
    )


def to_api_voucher(voucher: VoucherView) -> VoucherOut:
    """Compute that is owed."""
    return VoucherOut(
        voucher_id=voucher.voucher_id,
        facility_id=voucher.facility_id,
        token_id=voucher.token_id,
        units=voucher.units,
        owed_gpu_seconds=voucher.owed_gpu_seconds,
        served_gpu_seconds=voucher.served_gpu_seconds,
        payable_micros=voucher.payable_micros,
        paid_micros=voucher.paid_micros,
        issued_at_s=voucher.issued_at_s,
        lease=voucher.lease,
    )


def to_api_refundable(refundable: RefundableView) -> RefundableOut:
    """Units of a failed sale."""
    return RefundableOut(
        token_id=refundable.token_id,
        units=refundable.units,
        amount_micros=refundable.amount_micros,
    )


def to_api_portfolio(portfolio: PortfolioView) -> PortfolioOut:
    """Everything of one account."""
    return PortfolioOut(
        address=portfolio.address,
        as_of=to_api_as_of(portfolio.as_of),
        eligibility=to_api_eligibility(portfolio.eligibility),
        wallet=to_api_wallet(portfolio.wallet),
        positions=[to_api_position(position) for position in portfolio.positions],
        total=to_api_totals(portfolio.total),
        vouchers=[to_api_voucher(voucher) for voucher in portfolio.vouchers],
        refundable=[to_api_refundable(units) for units in portfolio.refundable],
    )


@router.get("/v1/portfolio/{address}", responses=errors(422))
def get_portfolio(service: ServiceDep, address: AddressPath) -> PortfolioOut:
    """Positions, revenue, vouchers, refunds and eligibility, as of the newest indexed block."""
    return to_api_portfolio(read_portfolio(service.engine, service.contracts, address))
