"""Answers of the market: lists, tranches, series, holders."""

from pydantic import BaseModel, ConfigDict, Field

from api.routes.operator.schemas import OperatorNameOut

_MICROS = "micros of the settlement token"


class Out(BaseModel):
    """Base of answers that are read from domain and pipeline values."""

    model_config = ConfigDict(from_attributes=True)


class AsOfOut(Out):
    """The newest indexed block: what the answer is as of."""

    block: int = Field(description="Block number.")
    time_s: int = Field(description="Time of the block, UTC seconds.")


class SaleOut(Out):
    """Primary sale of a facility, all its tranches together."""

    state: str = Field(
        description="scheduled, open, closed (over, waiting for its end on-chain), successful or"
        " refunding, as of the indexed block."
    )
    opens_at_s: int = Field(description="First second in which units are sold, UTC seconds.")
    closes_at_s: int = Field(description="Second from which none are sold, UTC seconds.")
    floor_units: int = Field(description="Units that must be sold, GPU-hours, or all are refunded.")
    sold_units: int = Field(description="Units sold and not refunded, GPU-hours.")
    up_front_bps: int = Field(description="Share of proceeds paid at success, basis points.")
    proceeds_micros: int = Field(description=f"Price of the units sold; {_MICROS}.")
    released_micros: int = Field(description=f"Released to the operator so far; {_MICROS}.")


class TrancheRowOut(Out):
    """A tranche in the market. Null is unknown, never zero."""

    token_id: str = Field(description="ERC-1155 id as decimal text, 72 bits.")
    facility_id: int = Field(description="Facility.")
    seniority: int = Field(description="Rank in the waterfall; 0 is paid first.")
    facility_name: str = Field(description="Name of the facility.")
    operator: OperatorNameOut = Field(description="Who runs the GPUs.")
    gpu_class: str = Field(description="SKU.")
    site: str = Field(description="Data centre.")
    window_start_s: int = Field(description="First second of the delivery window, UTC seconds.")
    window_end_s: int = Field(description="Second after the window, UTC seconds.")
    epoch_length_s: int = Field(description="Seconds of one epoch.")
    device_count: int = Field(description="Pledged devices.")
    state: str = Field(
        description="registered (not on-chain), offered, funded, delivering, matured, cancelled or"
        " defaulted."
    )
    unit_cap: int = Field(description="Most units, GPU-hours.")
    units_issued: int | None = Field(
        description="Units in circulation, GPU-hours; null while not on-chain."
    )
    units_left: int | None = Field(
        description="Units that the sale still has, GPU-hours; null unless a sale is open."
    )
    price_micros: int | None = Field(
        description=f"Sale price of one unit; null without a sale; {_MICROS}."
    )
    coupon_micros_per_unit: int = Field(
        description=f"What a unit earns over the window before juniors; {_MICROS}."
    )
    sale: SaleOut | None = Field(description="Primary sale; null if there is none.")
    utilisation_ppm: int | None = Field(
        description="Billed over available GPU-seconds of posted statements that stand, parts per"
        " million; null before the first."
    )
    availability_ppm: int | None = Field(
        description="Available GPU-seconds over the capacity of the same epochs, parts per million;"
        " null before the first statement."
    )
    paid_per_unit_micros: int | None = Field(
        description="Revenue that reached one unit from the beginning, with what still streams to"
        f" it, rounded down; null while there are no units; {_MICROS}."
    )


class ChoicesOut(Out):
    """What filters can choose from, over all tranches."""

    gpu_classes: list[str] = Field(description="SKUs, sorted.")
    sites: list[str] = Field(description="Data centres, sorted.")
    operators: list[OperatorNameOut] = Field(description="Operators, by name.")
    states: list[str] = Field(description="States that occur, in the order of a facility's life.")


class TranchesOut(Out):
    """A page of the market."""

    total: int = Field(description="Tranches that the filter admits.")
    offset: int = Field(description="Rows skipped.")
    limit: int = Field(description="Most rows in this answer.")
    as_of: AsOfOut | None = Field(description="Newest indexed block; null if none is.")
    choices: ChoicesOut = Field(description="Values to filter by.")
    tranches: list[TrancheRowOut] = Field(description="Tranches in the order asked for.")


class PointOut(Out):
    """Sums over some epochs."""

    first_epoch: int = Field(description="First epoch in the point.")
    last_epoch: int = Field(description="Last epoch in the point.")
    start_s: int = Field(description="Start of the first epoch, UTC seconds.")
    end_s: int = Field(description="End of the last epoch, UTC seconds.")
    gross_micros: int | None = Field(
        description=f"Gross revenue of posted statements; null if none is posted; {_MICROS}."
    )
    billed_gpu_seconds: int | None = Field(description="Usage and delivery, GPU-seconds.")
    available_gpu_seconds: int | None = Field(description="Capacity less outages, GPU-seconds.")
    promised_gpu_seconds: int = Field(description="Promised available GPU-seconds.")
    accrued_micros: int = Field(description=f"Revenue accrued to this tranche; {_MICROS}.")
    settled_micros: int = Field(description=f"Settled of the facility, fees included; {_MICROS}.")


class SeriesOut(Out):
    """A tranche over time."""

    bucket_epochs: int = Field(description="Epochs in one point; the last may have fewer.")
    points: list[PointOut] = Field(description="At most 400 points, in order.")


class HolderOut(Out):
    """A holder."""

    address: str = Field(description="Checksummed wallet address.")
    units: int = Field(description="Units held, GPU-hours.")
    share_ppm: int = Field(description="Share of units in circulation, parts per million.")


class HoldersOut(Out):
    """A page of holders."""

    total: int = Field(description="Number of holders.")
    units_issued: int | None = Field(
        description="Units in circulation, GPU-hours, the sum of all holders; null while not"
        " on-chain."
    )
    holders: list[HolderOut] = Field(description="Largest first.")
