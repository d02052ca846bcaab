"""Answers about money and documents of a tranche, and the devices of a facility."""

from pydantic import Field

from api.routes.public.market_schemas import Out

_MICROS = "micros of the settlement token"


class StepOut(Out):
    """One tranche in the waterfall."""

    token_id: str = Field(description="ERC-1155 id as decimal text.")
    seniority: int = Field(description="Rank in the waterfall; 0 is paid first.")
    coupon_due_micros: int | None = Field(
        description="Coupon that fell due in the settled epochs; null for the last tranche, which"
        f" takes the rest, and while not on-chain; {_MICROS}."
    )
    paid_micros: int | None = Field(description=f"Accrued to its holders; {_MICROS}.")
    arrears_micros: int | None = Field(description=f"Coupon due and not paid; {_MICROS}.")


class WaterfallOut(Out):
    """From attested rent to tranches; null is unknown, while the facility is not on-chain."""

    attested_micros: int | None = Field(description=f"Gross revenue posted; {_MICROS}.")
    collected_micros: int | None = Field(description=f"Rent in, less refunds; {_MICROS}.")
    settled_micros: int | None = Field(description=f"Settled, fees included; {_MICROS}.")
    fees_micros: int | None = Field(description=f"Protocol fees in settlements; {_MICROS}.")
    distributed_micros: int | None = Field(
        description=f"Paid down the waterfall from bond, sale and slashes; {_MICROS}."
    )
    steps: list[StepOut] = Field(description="Tranches, most senior first.")
    owed_to_operator_micros: int | None = Field(
        description=f"Left over because no tranche had units; {_MICROS}."
    )
    receivable_micros: int | None = Field(
        description=f"Attested, not collected nor written off; {_MICROS}."
    )
    prepaid_micros: int | None = Field(description=f"Rent above what is attested; {_MICROS}.")


class DocumentOut(Out):
    """A published file."""

    name: str = Field(description="File name.")
    path: str = Field(description="Path below /v1/evidence/.")
    sha256: str = Field(description="SHA-256 of its bytes, 0x-hex.")
    bytes: int = Field(description="Size of the file.")
    on_chain: str | None = Field(
        description="Value on-chain that equals this hash: termsHash, evidenceHash, or null."
    )
    epoch: int | None = Field(description="Epoch from 0; null for the facility's terms.")


class DocumentsOut(Out):
    """A page of files."""

    total: int = Field(description="Files that can be published, whether or not they are yet.")
    documents: list[DocumentOut] = Field(description="Those that are, from `offset` on.")


class DeviceOut(Out):
    """A pledged device."""

    index: int = Field(description="Place in the pledge, from 0.")
    device: str = Field(description="keccak-256 of the device's UUID, 0x-hex.")


class DevicesOut(Out):
    """The pledge: what its root is built from, over `(facilityId, index, device)`."""

    pledge_root: str = Field(description="Root over the pledged devices, 0x-hex.")
    devices: list[DeviceOut] = Field(description="All devices, ascending.")
