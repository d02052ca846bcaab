"""Attesters and their record."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.reads.attesters import AttestersView, AttesterView, read_attesters
from api.routes.http.problems import errors
from api.routes.service import ServiceDep

router = APIRouter(tags=["public"])


class AttesterOut(BaseModel):
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


class AttestersOut(BaseModel):
    """All attesters."""

    threshold: int | None = Field(
        description="Signatures that a statement needs; null if it is not set."
    )
    attesters: list[AttesterOut] = Field(description="By address.")


def to_api_attester(figures: AttesterView) -> AttesterOut:
    """An attester and its record."""
    return AttesterOut(
        address=figures.address,
        active_from_s=figures.active_from_s,
        active_until_s=figures.active_until_s,
        active=figures.active,
        bond_micros=figures.bond_micros,
        statements_signed=figures.statements_signed,
        statements_voided=figures.statements_voided,
        last_signed_at_s=figures.last_signed_at_s,
    )


def to_api_attesters(view: AttestersView) -> AttestersOut:
    """All attesters."""
    return AttestersOut(
        threshold=view.threshold,
        attesters=[to_api_attester(figures) for figures in view.attesters],
    )


@router.get("/v1/attesters", responses=errors())
def list_attesters(service: ServiceDep) -> AttestersOut:
    """Every account that ever was an attester: its period, bond and record."""
    return to_api_attesters(read_attesters(service.engine, service.contracts))
