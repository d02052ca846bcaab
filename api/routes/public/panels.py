"""Panels and pledges, as several answers show them."""

from pydantic import BaseModel, Field

from api.domain.statements.evidence import hex32
from api.reads.panels import PanelView, PledgeView


class PanelOut(BaseModel):
    """Attesters whose signatures count for a facility."""

    number: int = Field(description="Number of the panel, from 1.")
    threshold: int = Field(description="Signatures that a statement, rejection or pledge needs.")
    attesters: list[str] = Field(description="Accounts in its seats, checksummed addresses.")


class PledgeOut(BaseModel):
    """The pledge of a facility, and whether attesters approved it."""

    root: str = Field(description="Root over the devices of the pledge in force, 0x-hex.")
    number: int | None = Field(
        description="Number of its approval among all facilities, from 1: of two pledges of one"
        " card the lower counts; null while it is not approved."
    )
    approved_at: int | None = Field(
        description="When it was approved, UTC seconds; null while it is not."
    )


def to_api_panel(panel: PanelView | None) -> PanelOut | None:
    """The panel of a facility; None for one that was not offered."""
    return None if panel is None else to_api_panel_row(panel)


def to_api_panel_row(panel: PanelView) -> PanelOut:
    """A panel."""
    return PanelOut(number=panel.number, threshold=panel.threshold, attesters=list(panel.attesters))


def to_api_pledge(pledge: PledgeView) -> PledgeOut:
    """A pledge."""
    return PledgeOut(
        root=hex32(pledge.root), number=pledge.number, approved_at=pledge.approved_at_s
    )
