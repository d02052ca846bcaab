"""Answers of the public routes for auditors and investors."""

from pydantic import BaseModel, ConfigDict, Field

from api.domain.lifecycle import StatementState

_MICROS = "micros of the settlement token"


class DifferencesOut(BaseModel):
    """Every difference between the five numbers, by name."""

    model_config = ConfigDict(from_attributes=True)

    open_epoch_gpu_seconds: int = Field(description="Recorded for epochs that are not closed.")
    deferred_void_gpu_seconds: int = Field(description="Voided, waiting for a later statement.")
    awaiting_posting_micros: int = Field(description=f"Closed, not on-chain yet; {_MICROS}.")
    challenge_window_micros: int = Field(description=f"Posted, not final yet; {_MICROS}.")
    receivable_micros: int = Field(description=f"Attested, rent not collected; {_MICROS}.")
    written_off_micros: int = Field(
        description=f"Attested rent given up long after the window's end; {_MICROS}."
    )
    prepaid_micros: int = Field(description=f"Rent above what is attested; {_MICROS}.")
    awaiting_settlement_micros: int = Field(description=f"Could be settled now; {_MICROS}.")
    fees_micros: int = Field(description=f"Protocol fees in settlements; {_MICROS}.")
    owed_to_operator_micros: int = Field(
        description=f"Settled or distributed while nobody held units; {_MICROS}."
    )
    distributed_micros: int = Field(
        description=f"Paid to holders from bonds and sale proceeds, beside settlements; {_MICROS}."
    )
    streaming_micros: int = Field(
        description=f"Still streams to holders, rounded up, remainders included; {_MICROS}."
    )
    unclaimed_micros: int = Field(description=f"Vested and not taken; {_MICROS}.")


class ReconciliationOut(BaseModel):
    """Metered, rated, attested, collected and settled, claimed: each from its own source."""

    model_config = ConfigDict(from_attributes=True)

    facility_id: int | None = Field(description="Facility; null for the total.")
    metered_gpu_seconds: int = Field(description="Standing usage of the ledger, GPU-seconds.")
    rated_micros: int = Field(description=f"Charges of all statement lines; {_MICROS}.")
    attested_micros: int = Field(description=f"Gross revenue posted on-chain; {_MICROS}.")
    collected_micros: int = Field(description=f"Rent in the lockbox, cumulative; {_MICROS}.")
    settled_micros: int = Field(description=f"Settled, cumulative, fees included; {_MICROS}.")
    claimed_micros: int = Field(description=f"Taken by holders; {_MICROS}.")
    differences: DifferencesOut = Field(description="What explains one number from the next.")
    balanced: bool = Field(description="True if every difference has a name.")
    mismatches: list[str] = Field(description="What nothing explains; empty when balanced.")


class ReconciliationsOut(BaseModel):
    """All facilities and their total, as of one indexed block."""

    indexed_block: int | None = Field(description="Newest indexed block.")
    final_block: int | None = Field(
        description="Number of the newest indexed block as deep as `confirmations` asks: rows"
        " up to it are final, later ones a reorg can still take back."
    )
    total: ReconciliationOut = Field(description="Sum over facilities.")
    facilities: list[ReconciliationOut] = Field(description="By facility id.")


class StatementOut(BaseModel):
    """A statement and how far it came."""

    facility_id: int = Field(description="Facility.")
    epoch: int = Field(description="Epoch from 0.")
    epoch_start_s: int = Field(description="UTC seconds.")
    epoch_end_s: int = Field(description="UTC seconds.")
    available_gpu_seconds: int = Field(description="Capacity less outages, GPU-seconds.")
    billed_gpu_seconds: int = Field(description="Usage and delivery, GPU-seconds.")
    gross_revenue_micros: int = Field(description=f"Sum of charges; {_MICROS}.")
    line_count: int = Field(description="Lines under the root.")
    usage_root: str = Field(description="Merkle root over the lines, 0x-hex.")
    evidence_hash: str = Field(description="SHA-256 of manifest.json, 0x-hex.")
    previous_statement_hash: str = Field(description="Hash of the statement before, 0x-hex.")
    top_renter_bps: int = Field(description="Largest renter's share, basis points.")
    committed_bps: int = Field(description="Take-or-pay share, basis points.")
    statement_hash: str = Field(description="EIP-712 struct hash, 0x-hex.")
    attesters: list[str] = Field(description="Accounts whose signatures we hold.")
    state: StatementState = Field(
        description="closed; attested: signed, not posted; posted: stands on-chain and can be"
        " challenged; final: its challenge window is over; settled: a settlement counts it;"
        " voided: it was posted and a proven fault took it, or one before it."
    )
    posted_tx: str | None = Field(description="Transaction that posted it, while it stands.")
    posted_at_s: int | None = Field(description="Block time of that posting, UTC seconds.")
    standing_hash: str | None = Field(
        description="Hash of the statement that stands on-chain for this epoch, 0x-hex; another"
        " than `statement_hash` if attesters posted other bytes than ours."
    )
    evidence: str = Field(description="Folder of the evidence below /v1/evidence/.")


class StatementsOut(BaseModel):
    """A page of statements."""

    total: int = Field(description="Statements of the facility in the named state; all without.")
    statements: list[StatementOut] = Field(description="By epoch, from `offset` on.")


class LineOut(BaseModel):
    """One line of a statement."""

    index: int = Field(description="Place in the statement, from 0.")
    kind: str = Field(description="usage, delivery, shortfall, sla_credit, late_usage or void.")
    device: str = Field(description="keccak-256 of the device UUID.")
    lease: str = Field(description="Salted hash of the lease id.")
    start_s: int = Field(description="UTC seconds.")
    end_s: int = Field(description="UTC seconds, exclusive.")
    gpu_seconds: int = Field(description="GPU-seconds that count for this epoch.")
    charge_micros: int = Field(description=f"Charge; negative for credits and voids; {_MICROS}.")
    cumulative_gpu_seconds: int = Field(description="Prefix sum of gpu_seconds.")
    cumulative_charge_micros: int = Field(description="Prefix sum of charge_micros.")


class LinesOut(BaseModel):
    """A page of lines."""

    line_count: int = Field(description="Lines of the statement.")
    kinds: dict[str, int] = Field(
        description="Lines of each kind; lines are sorted by kind, so these are also offsets."
    )
    lines: list[LineOut] = Field(description="Lines from `offset` on.")


class ProofOut(BaseModel):
    """Merkle proof of one line, as OpenZeppelin's StandardMerkleTree makes it."""

    facility_id: int = Field(description="Facility of the statement; part of the leaf.")
    epoch: int = Field(description="Epoch of the statement; part of the leaf.")
    line: LineOut = Field(description="The line.")
    leaf: str = Field(description="Double keccak-256 of the ABI-encoded line.")
    proof: list[str] = Field(description="Sibling hashes, leaf to root.")
    root: str = Field(description="usageRoot of the statement.")


class CashFlowOut(BaseModel):
    """One movement on-chain."""

    event: str = Field(
        description="RentPaid, RentRefunded, Settled, Distributed (bond or sale), ResidualOwed,"
        " ReceivableWrittenOff, RevenueAccrued or RevenueClaimed."
    )
    amount_micros: int = Field(description=f"Amount; {_MICROS}.")
    fee_micros: int | None = Field(description=f"Fee of a settlement; {_MICROS}.")
    account: str | None = Field(description="Payer, holder or operator.")
    token_id: str | None = Field(description="Tranche, decimal.")
    block_number: int = Field(description="Block.")
    block_time_s: int = Field(description="UTC seconds.")
    tx_hash: str = Field(description="Transaction, 0x-hex.")


class StatusOut(BaseModel):
    """Where the service stands."""

    chain_head: int | None = Field(description="Newest block of the node; null if unreachable.")
    indexed_block: int | None = Field(description="Newest indexed block.")
    final_block: int | None = Field(
        description="Number of the newest indexed block as deep as `confirmations` asks: rows"
        " up to it are final, later ones a reorg can still take back."
    )
    now_s: int = Field(description="The service's clock, UTC seconds.")
    open_transactions: int = Field(description="Sent, outcome not known yet.")


class HealthOut(BaseModel):
    """The service is up."""

    status: str = Field(description="Always `ok`; anything else is a problem.")
