"""Attesters and their record."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.reads.attesters import AttestersView, AttesterView, read_attesters
from api.routes.http.problems import errors
from api.routes.public.panels import PanelOut, to_api_panel_row
from api.routes.service import ServiceDep

router = APIRouter(tags=["public"])


class AttesterOut(BaseModel):
    """An attester and its record."""

    address: str = Field(description="Checksummed address.")
    active_from_s: int = Field(description="Signatures count from then on, UTC seconds.")
    active_until_s: int | None = Field(
        description="Signatures count before then, UTC seconds; null without an end."
    )
    active: bool = Field(
        description="Whether signatures count at the indexed block: it is a member, and its bond"
        " is the minimum at least."
    )
    bond_micros: int = Field(description="Bond held; micros of the bond token.")
    slashed_micros: int = Field(description="Lost for faults so far; micros of the bond token.")
    panels: list[int] = Field(description="Numbers of the panels on which it sits.")
    url: str = Field(description="Where it publishes verdicts and refusals; empty for nowhere.")
    statements_signed: int = Field(description="Posted statements that it signed.")
    statements_voided: int = Field(description="Of these, voided by a proven fault.")
    last_signed_at_s: int | None = Field(
        description="When its newest statement was posted, UTC seconds."
    )


class AttestersOut(BaseModel):
    """All attesters, and their panels."""

    minimum_bond_micros: int | None = Field(
        description="Least bond with which signatures count; micros of the bond token; null"
        " without a deployment."
    )
    slash_amount_micros: int | None = Field(
        description="What a faulty statement costs each signer; micros of the bond token; null"
        " without a deployment."
    )
    panels: list[PanelOut] = Field(description="Panels whose seats hold, by number.")
    attesters: list[AttesterOut] = Field(description="By address.")


def to_api_attester(figures: AttesterView) -> AttesterOut:
    """An attester and its record."""
    return AttesterOut(
        address=figures.address,
        active_from_s=figures.active_from_s,
        active_until_s=figures.active_until_s,
        active=figures.active,
        bond_micros=figures.bond_micros,
        slashed_micros=figures.slashed_micros,
        panels=list(figures.panels),
        url=figures.url,
        statements_signed=figures.statements_signed,
        statements_voided=figures.statements_voided,
        last_signed_at_s=figures.last_signed_at_s,
    )


def to_api_attesters(view: AttestersView) -> AttestersOut:
    """All attesters."""
    return AttestersOut(
        minimum_bond_micros=view.minimum_bond_micros,
        slash_amount_micros=view.slash_amount_micros,
        panels=[to_api_panel_row(panel) for panel in view.panels],
        attesters=[to_api_attester(figures) for figures in view.attesters],
    )


@router.get("/v1/attesters", responses=errors())
def list_attesters(service: ServiceDep) -> AttestersOut:
    """Every account that ever was an attester: its period, bond, panels and record."""
    return to_api_attesters(read_attesters(service.engine, service.contracts))
