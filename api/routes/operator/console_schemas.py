"""Answers of the operator's console."""

from pydantic import BaseModel, Field

_MICROS = "micros of the settlement token"


class ConsoleOperator(BaseModel):
    """The operator itself."""

    operator_id: int = Field(description="Number of the operator.")
    name: str = Field(description="Name as registered.")
    address: str = Field(description="Checksummed wallet address.")


class TaskOut(BaseModel):
    """One thing to do."""

    kind: str = Field(
        description="offer_missing, mint_or_sale_missing, bond_below_required, default_near,"
        " metering_silent, metering_gap, events_rejected, conflicts, epoch_voided (reopen it),"
        " epoch_reopened (send corrections until it is due), epoch_stuck, rent_overdue,"
        " proceeds_releasable, withdrawable or device_pledged_twice."
    )
    severity: str = Field(description="critical, warning or info.")
    facility_id: int = Field(description="Facility; for `withdrawable` the first with its token.")
    epoch: int | None = Field(description="Epoch, where it is about one.")
    amount_micros: int | None = Field(description=f"Amount, where it is about money; {_MICROS}.")
    device: str | None = Field(description="Device hash, 0x-hex, where it is about one.")
    due_at_s: int | None = Field(description="UTC seconds; null if there is no deadline.")


class ConsoleFacility(BaseModel):
    """One facility of the operator."""

    facility_id: int = Field(description="Facility.")
    name: str = Field(description="Name as registered.")
    gpu_class: str = Field(description="SKU.")
    site: str = Field(description="Data centre.")
    state: str = Field(
        description="registered, offered, funded, delivering, matured, cancelled or defaulted."
    )
    window_start_s: int = Field(description="UTC seconds.")
    window_end_s: int = Field(description="UTC seconds, exclusive.")
    epochs_closed: int = Field(description="Statements in the books.")
    epochs_posted: int = Field(description="Number of statements that stand on-chain.")
    epochs_settled: int = Field(description="Number of epochs that a settlement has counted.")
    receivable_micros: int = Field(description=f"Attested, rent not collected; {_MICROS}.")
    bond_micros: int | None = Field(description=f"Bond held; null if none was agreed; {_MICROS}.")
    required_bond_micros: int | None = Field(description=f"Least bond; {_MICROS}.")


class ConsoleOut(BaseModel):
    """The operator's overview."""

    operator: ConsoleOperator = Field(description="The operator.")
    tasks: list[TaskOut] = Field(description="Most urgent first: by severity, then by deadline.")
    facilities: list[ConsoleFacility] = Field(description="By facility id.")


class ConsoleDevice(BaseModel):
    """Metering of one device over the whole window so far."""

    device: str = Field(description="keccak-256 of the UUID, as in statements, 0x-hex.")
    uuid: str = Field(description="NVML UUID; only its operator sees it.")
    last_event_end_s: int | None = Field(
        description="End of the newest standing record or outage, UTC seconds; null if none."
    )
    lag_s: int | None = Field(
        description="Seconds since then, while the delivery window is open; else null."
    )
    records: int = Field(description="Number of standing usage records.")
    gap_seconds: int = Field(
        description="Seconds from the window's start to the newest interval that neither a"
        " standing record nor an outage covers. Idle time is a gap too."
    )
    gaps: int = Field(description="Number of such gaps.")
    duplicates: int = Field(description="Number of events that came again, unchanged.")
    conflicts: int = Field(description="Number of events that came again with another payload.")
    outage_seconds: int = Field(description="Seconds out of service.")


class RejectionOut(BaseModel):
    """One rejected event."""

    received_at_s: int = Field(description="UTC seconds.")
    source: str | None = Field(description="`source` as sent; null if unreadable.")
    id: str | None = Field(description="`id` as sent; null if unreadable.")
    code: str = Field(description="Stable code, as answered by `POST /v1/events`.")
    detail: str = Field(description="What was wrong, cut to 300 characters.")
    device: str | None = Field(description="Device as the event names it; null if unreadable.")


class RejectionsOut(BaseModel):
    """A page of rejections."""

    total: int = Field(description="Number of rejections that are kept.")
    rejections: list[RejectionOut] = Field(description="Newest first.")


class PriceVersionOut(BaseModel):
    """One price version."""

    version: int = Field(description="Number of the version, from 1.")
    effective_from_s: int = Field(description="UTC seconds.")
    price_micros_per_gpu_hour: int = Field(description="Micros of the settlement token.")
    sla_credit_bps: int = Field(description="Credit for withheld GPUs, basis points.")


class ConsoleLease(BaseModel):
    """A lease with its prices."""

    lease_id: str = Field(description="The operator's id.")
    lease: str = Field(description="Salted hash, as in statements and rent payments, 0x-hex.")
    renter_ref: str = Field(description="The operator's reference of the renter.")
    plan: str = Field(description="on_demand, spot, reserved or take_or_pay.")
    committed_gpus: int = Field(description="GPUs paid whether used or not.")
    max_gpus: int = Field(description="Most GPUs at once; 0 = no limit.")
    opened_at_s: int = Field(description="UTC seconds.")
    closed_at_s: int | None = Field(description="UTC seconds; null while open.")
    prices: list[PriceVersionOut] = Field(description="By version.")
    attested_micros: int = Field(description=f"Charges in statements on-chain; {_MICROS}.")


class EpochOut(BaseModel):
    """One epoch and how far it came."""

    epoch: int = Field(description="Epoch from 0.")
    start_s: int = Field(description="UTC seconds.")
    end_s: int = Field(description="UTC seconds, exclusive.")
    state: str = Field(
        description="future, open, grace, closed, attested, posted, final, settled or voided"
        " (proven wrong, can never be posted again: correct it and reopen)."
    )
    gross_micros: int | None = Field(description=f"Sum of charges; null until closed; {_MICROS}.")
    line_count: int | None = Field(description="Lines; null until closed.")
    signatures: int = Field(description="Number of attesters' signatures.")
    posted_tx: str | None = Field(description="Transaction of the posting that stands, 0x-hex.")
    posted_at_s: int | None = Field(description="UTC seconds.")
    final_at_s: int | None = Field(description="End of its challenge window, UTC seconds.")
    cut_off_s: int = Field(
        description="First second at which a record no longer enters this epoch itself, UTC;"
        " later where the epoch was reopened."
    )
    reopen: str | None = Field(
        description="now: it can be reopened. Why it cannot be yet: not_next, void_not_final or"
        " posting_under_way. Null unless voided."
    )


class EpochsOut(BaseModel):
    """A page of epochs."""

    total: int = Field(description="Number of epochs of the facility.")
    epochs: list[EpochOut] = Field(description="Newest first.")


class LeaseRentOut(BaseModel):
    """Rent of one lease."""

    lease: str = Field(description="Salted hash of the lease, or whatever the payer named, 0x-hex.")
    lease_id: str | None = Field(description="The operator's id; null if it is no lease of ours.")
    attested_micros: int = Field(description=f"Charges in statements on-chain; {_MICROS}.")
    paid_micros: int = Field(description=f"Paid in its name; refunds name no lease; {_MICROS}.")
    due_micros: int = Field(description=f"Attested and not paid in its name; {_MICROS}.")


class PaymentOut(BaseModel):
    """One payment of rent."""

    block_time_s: int = Field(description="UTC seconds.")
    tx_hash: str = Field(description="Transaction, 0x-hex.")
    payer: str = Field(description="Account that paid.")
    lease: str = Field(description="Lease hash that it named, 0x-hex.")
    amount_micros: int = Field(description=f"Amount; {_MICROS}.")


class RentOut(BaseModel):
    """Rent of a facility, as of the newest indexed block."""

    attested_micros: int = Field(description=f"Gross revenue on-chain; {_MICROS}.")
    collected_micros: int = Field(description=f"Paid less refunded; {_MICROS}.")
    receivable_micros: int = Field(description=f"Attested, not collected; {_MICROS}.")
    prepaid_micros: int = Field(description=f"Collected above what is attested; {_MICROS}.")
    by_lease: list[LeaseRentOut] = Field(description="By the operator's lease id.")
    payments: list[PaymentOut] = Field(description="Newest first, at most 500.")


class ConsoleBond(BaseModel):
    """The bond of a facility, as of the newest indexed block."""

    bond_micros: int = Field(description=f"Held; {_MICROS}.")
    required_bond_micros: int = Field(description=f"Least bond; {_MICROS}.")
    rate_micros_per_gpu_hour: int = Field(description=f"Price of a missing GPU-hour; {_MICROS}.")
    shortfall_due_micros: int = Field(description=f"What holders are owed of it now; {_MICROS}.")
    below_since_s: int | None = Field(description="UTC seconds; null while it is enough.")
    grace_s: int = Field(description="Seconds that it may be too small before default.")
    default_after_epochs: int = Field(
        description="Number of missing epochs that are a default; 0 = never."
    )
