"""A bill's document as the API answers it; docs/BILLS.md explains every field."""

from pydantic import BaseModel, ConfigDict, Field

from api.routes.http.schemas import MICROS


class _Part(BaseModel):
    """Nothing is in a document that is not described."""

    model_config = ConfigDict(extra="forbid")


class BillOperator(_Part):
    """Who bills."""

    name: str = Field(description="Operator's name.")
    address: str = Field(description="Operator's account.")


class BillFacility(_Part):
    """What was rented."""

    facility_id: int = Field(description="Facility: its on-chain id.")
    name: str = Field(description="Its name.")
    gpu_class: str = Field(description="Model of the GPUs.")
    site: str = Field(description="Data centre.")


class BillLease(_Part):
    """Who is billed."""

    lease_id: str = Field(description="The operator's id of the lease.")
    lease: str = Field(description="Its public hash, 0x-hex.")
    renter_ref: str = Field(description="The operator's reference of the renter.")


class BillPayment(_Part):
    """How it is paid: `payRent(facility, reference, amount)` of the lockbox."""

    lockbox: str | None = Field(description="RentLockbox; null while none is deployed.")
    reference: str = Field(description="Payment reference: the lease's hash, 0x-hex.")


class BillToken(_Part):
    """In what amounts are."""

    address: str = Field(description="Settlement token.")
    symbol: str | None = Field(description="Its symbol; null if it is not the deployment's token.")
    decimals: int | None = Field(description="Its decimals; null as its symbol.")


class BillMover(_Part):
    """A fact of the log that spoke of time before the statement that took it."""

    entry: int = Field(description="Entry of the facility's log.")
    index: int = Field(description="Place in the entry.")
    fact: str = Field(description="usage, outage, until, void or terms.")


class BillStatement(_Part):
    """A statement of which lines are in the document."""

    statement: int = Field(description="Epoch of the statement, or number of the closing one.")
    closing: bool = Field(description="Whether it is the closing statement.")
    start_s: int = Field(description="UTC seconds.")
    end_s: int = Field(description="UTC seconds, exclusive.")
    statement_hash: str = Field(description="Hash that stands on-chain, 0x-hex.")
    amount_micros: int = Field(description=f"Sum of the lines in it; {MICROS}.")
    moved_by: list[BillMover] = Field(description="Facts that can have moved its differences.")


class BillLine(_Part):
    """A line of a statement."""

    statement: int = Field(description="Statement that has it.")
    index: int = Field(description="Its place there; its proof is found by these two.")
    kind: str = Field(description="As in the statement's lines.")
    about: str | None = Field(description="Name of a fixed item, reason of an adjustment.")
    start_s: int = Field(description="UTC seconds.")
    end_s: int = Field(description="UTC seconds, exclusive.")
    gpu_seconds: int = Field(description="GPU-seconds that count for the statement's epoch.")
    charge_micros: int = Field(description=f"Charge; {MICROS}.")


class BillPricedTime(_Part):
    """Time at one price and commitment."""

    start_s: int = Field(description="UTC seconds.")
    end_s: int = Field(description="UTC seconds, exclusive.")
    version: int = Field(description="Version of the lease's terms.")
    price: int = Field(description=f"Of an hour of `gpus` GPUs; {MICROS}.")
    gpus: int = Field(description="GPUs of the price.")
    committed_gpus: int = Field(description="GPUs that are paid for, used or not.")
    billed_gpu_seconds: int = Field(description="GPU-seconds billed.")
    charge: int = Field(description=f"Usage at this price; {MICROS}.")


class BillTier(_Part):
    """What one tier took of the month's hours."""

    above_hours: int = Field(description="GPU-hours of the month from which it counts.")
    discount_bps: int = Field(description="Discount, hundredths of a percent.")
    gpu_seconds: int = Field(description="GPU-seconds in it.")


class BillSla(_Part):
    """The share that faults withheld, and the credit for it."""

    withheld_gpu_seconds: int = Field(description="Withheld by faults, as far as it counts.")
    whole_gpu_seconds: int = Field(description="Of so many.")
    withheld_ppm: int = Field(description="The share, millionths, rounded down.")
    step_bps: int = Field(description="Credit of the step that was passed.")
    cap_bps: int = Field(description="Most that is credited.")
    credit_bps: int = Field(description="What is credited of the month's charge.")


class BillFixedItem(_Part):
    """An amount that is due at an instant."""

    name: str = Field(description="Its name in the terms.")
    at_s: int = Field(description="UTC seconds.")
    amount: int = Field(description=f"Of either sign; {MICROS}.")


class BillExplained(_Part):
    """Figures behind what is owed for the month, as known by the document's last statement."""

    used_gpu_seconds: int = Field(description="Held by the lease, time of outages included.")
    billed_gpu_seconds: int = Field(description="Of that, what is billed.")
    withheld_gpu_seconds: int = Field(description="Withheld by faults, as far as the SLA counts.")
    planned_gpu_seconds: int = Field(description="Out of service as planned.")
    priced: list[BillPricedTime] = Field(description="Price stretches, in order of time.")
    tiers: list[BillTier] = Field(description="Fill of tiers.")
    committed_gpu_seconds: int = Field(description="Committed over the month.")
    committed: int = Field(description=f"At the price; {MICROS}.")
    excused: int = Field(description=f"Of that, withheld or planned: not owed; {MICROS}.")
    minimum: int = Field(description=f"Minimum of the month, prorated; {MICROS}.")
    sla: BillSla | None = Field(description="Null where the terms have no SLA.")
    fixed: list[BillFixedItem] = Field(description="Items that are due in the month.")


class BillDocument(_Part):
    """What a bill, a note or a draft says. An issued one never changes."""

    format: str = Field(description="rentroll-bill-1.")
    kind: str = Field(description="bill, credit_note, debit_note, or draft.")
    number: int | None = Field(description="The operator's number, without gaps; null of a draft.")
    corrects: int | None = Field(description="Number of the document that a note corrects.")
    issued_at_s: int | None = Field(description="UTC seconds.")
    due_at_s: int | None = Field(description="UTC seconds; null where nothing is asked for.")
    previous_hash: str | None = Field(description="Hash of the operator's document before, 0x-hex.")
    operator: BillOperator = Field(description="The operator that bills.")
    facility: BillFacility = Field(description="The facility of the lease.")
    lease: BillLease = Field(description="The lease that is billed.")
    payment: BillPayment = Field(description="How it is paid.")
    token: BillToken = Field(description="The settlement token, in whose units amounts are.")
    month: str = Field(description="UTC month, such as 2026-12.")
    start_s: int = Field(description="The month inside the window, UTC seconds.")
    end_s: int = Field(description="UTC seconds, exclusive.")
    changes_until_s: int = Field(description="Facts of the month are taken until then, UTC.")
    through_statement: int = Field(description="Last statement that is looked at.")
    amount_micros: int = Field(description=f"Sum of the lines; {MICROS}.")
    open_credit_micros: int | None = Field(
        description=f"Owed less than stated, and given back by later statements; {MICROS}."
    )
    components: dict[str, int] = Field(description=f"The amount by component; {MICROS}.")
    statements: list[BillStatement] = Field(description="Statements of its lines.")
    lines: list[BillLine] = Field(description="Every line, in the order of statements.")
    explained: BillExplained | None = Field(
        description="Null where the facts do not give what was stated."
    )


def proof_path(document: BillDocument, line: BillLine) -> str:
    """Where the proof of a line is served, to anybody."""
    facility_id = document.facility.facility_id
    return f"/v1/facilities/{facility_id}/epochs/{line.statement}/lines/{line.index}/proof"
