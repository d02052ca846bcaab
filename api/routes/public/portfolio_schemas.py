"""Answers about one account."""

from pydantic import Field

from api.routes.public.market_schemas import AsOfOut, Out

_MICROS = "micros of the settlement token"


class EligibilityOut(Out):
    """Whether units may leave and reach the account."""

    known: bool = Field(description="Whether the investor registry has an entry of its own.")
    can_send: bool | None = Field(description="Units may leave; null without a chain.")
    can_receive: bool | None = Field(description="Units may reach it; null without a chain.")
    expires_at_s: int | None = Field(description="When the entry ends, UTC seconds.")
    country: int | None = Field(
        description="ISO 3166-1 numeric code; null if the entry names none."
    )


class PositionOut(Out):
    """Units and revenue in one tranche."""

    token_id: str = Field(description="ERC-1155 id as decimal text.")
    facility_id: int = Field(description="Facility.")
    seniority: int = Field(description="Rank in the waterfall; 0 is paid first.")
    facility_name: str = Field(description="Name of the facility.")
    gpu_class: str = Field(description="SKU.")
    site: str = Field(description="Data centre.")
    window_end_s: int = Field(description="End of the delivery window, UTC seconds.")
    state: str = Field(description="State of the facility.")
    units: int = Field(description="Units held, GPU-hours.")
    frozen_units: int = Field(description="Units frozen, GPU-hours; may exceed those held.")
    claimable_micros: int = Field(description=f"What a claim would pay now; {_MICROS}.")
    streaming_micros: int = Field(
        description=f"Share of what still streams, rounded down; {_MICROS}."
    )
    claimed_micros: int = Field(description=f"Taken so far; {_MICROS}.")
    accrued_micros: int = Field(description=f"Claimed and claimable together; {_MICROS}.")


class TotalsOut(Out):
    """Sums over positions."""

    claimable_micros: int = Field(description=f"What a claim of all would pay now; {_MICROS}.")
    streaming_micros: int = Field(description=f"Still streams; {_MICROS}.")
    claimed_micros: int = Field(description=f"Taken so far; {_MICROS}.")


class VoucherOut(Out):
    """Compute that is owed for burned units."""

    voucher_id: str = Field(description="Number of the voucher as decimal text.")
    facility_id: int = Field(description="Facility that owes the compute.")
    owed_gpu_seconds: int = Field(description="GPU-seconds owed at first.")
    served_gpu_seconds: int = Field(description="GPU-seconds proven as delivered.")
    paid_gpu_seconds: int = Field(description="GPU-seconds paid from the bond instead.")
    issued_at_s: int = Field(description="When the units were burned, UTC seconds.")
    delivery_ref: str = Field(description="Lease hash of its delivery lines, 0x-hex.")


class RefundableOut(Out):
    """Units of a failed sale."""

    token_id: str = Field(description="ERC-1155 id as decimal text.")
    units: int = Field(description="Units that can be given back, GPU-hours.")
    amount_micros: int = Field(description=f"Their price; {_MICROS}.")


class PortfolioOut(Out):
    """Everything of one account."""

    address: str = Field(description="Checksummed address.")
    as_of: AsOfOut | None = Field(description="Newest indexed block; null if none is.")
    eligibility: EligibilityOut = Field(description="What the registry says of the account.")
    positions: list[PositionOut] = Field(description="By token id, also those sold but earned in.")
    total: TotalsOut = Field(description="All positions together.")
    vouchers: list[VoucherOut] = Field(description="Vouchers, oldest first.")
    refundable: list[RefundableOut] = Field(description="Units of failed sales.")


class HistoryEntryOut(Out):
    """One thing that the account did or that happened to it."""

    event: str = Field(
        description="units_bought, units_retained, units_minted, units_received, units_sent,"
        " units_burned, units_refunded, revenue_claimed, voucher_issued or voucher_paid."
    )
    facility_id: int | None = Field(description="Facility.")
    token_id: str | None = Field(description="ERC-1155 id as decimal text.")
    units: int | None = Field(description="Units, GPU-hours.")
    amount_micros: int | None = Field(description=f"Paid or received; {_MICROS}.")
    counterparty: str | None = Field(
        description="The other account; of claims and refunds where the money went."
    )
    block_number: int = Field(description="Block.")
    block_time_s: int = Field(description="Time of the block, UTC seconds.")
    tx_hash: str = Field(description="Transaction, 0x-hex.")


class HistoryOut(Out):
    """A page of history."""

    total: int = Field(description="Number of entries.")
    entries: list[HistoryEntryOut] = Field(description="Newest first.")


class AttesterOut(Out):
    """An attester and its record."""

    address: str = Field(description="Checksummed address.")
    active_from_s: int = Field(description="Signatures count from then on, UTC seconds.")
    active_until_s: int | None = Field(
        description="Signatures count before then, UTC seconds; null without an end."
    )
    active: bool = Field(description="Whether signatures count at the indexed block.")
    bond_micros: int = Field(description="Bond held; micros of the bond token.")
    statements_signed: int = Field(description="Posted statements that it signed.")
    statements_voided: int = Field(description="Of these, voided by a proven fault.")
    last_signed_at_s: int | None = Field(
        description="When its newest statement was posted, UTC seconds."
    )


class AttestersOut(Out):
    """All attesters."""

    threshold: int | None = Field(
        description="Signatures that a statement needs; null if it is not set."
    )
    attesters: list[AttesterOut] = Field(description="By address.")
