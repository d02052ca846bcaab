"""Leases with their prices and what was attested of them."""

from collections.abc import Iterator

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.db.facilities import own_facility
from api.db.facts import leases_of
from api.db.leases import lease_rows
from api.db.tables.leases import LeaseRow
from api.domain.metering.lease import Lease
from api.domain.metering.lease_terms import PriceStep, TermsVersion, terms_hash
from api.domain.statements.evidence import hex32
from api.ledger.leases import ends_at
from api.reads.console.rent import attested_by_lease
from api.routes.http.credentials import OperatorReader
from api.routes.http.parameters import FacilityPath
from api.routes.http.problems import errors
from api.routes.http.schemas import MICROS
from api.routes.operator.console import CONSOLE_FACILITY
from api.routes.service import ServiceDep

router = APIRouter(tags=["console"])


class PriceOut(BaseModel):
    """A price that was in force, or will be."""

    version: int = Field(description="Number of the terms that say so, from 1.")
    effective_from_s: int = Field(description="UTC seconds.")
    price_micros_per_gpu_hour: int = Field(description=f"Of an hour; {MICROS}.")
    gpus: int = Field(description="For so many GPUs.")


class ConsoleLease(BaseModel):
    """A lease with its prices."""

    lease_id: str = Field(description="The operator's id.")
    lease: str = Field(description="Its hash, as in statements and rent payments, 0x-hex.")
    renter_ref: str = Field(description="The operator's reference of the renter.")
    plan: str = Field(description="take_or_pay with a commitment or a minimum, else on_demand.")
    version: int = Field(description="Number of the newest terms.")
    terms_hash: str = Field(description="SHA-256 of the newest terms, which the next ones name.")
    committed_gpus: int = Field(description="GPUs paid whether used or not, by the newest terms.")
    max_gpus: int = Field(description="Most GPUs at once; 0 = no limit.")
    opened_at_s: int = Field(description="UTC seconds.")
    closed_at_s: int | None = Field(description="UTC seconds; null while no end is agreed.")
    prices: list[PriceOut] = Field(description="As they are in force, in order of time.")
    attested_micros: int = Field(description=f"Charges in statements on-chain; {MICROS}.")


@router.get(f"{CONSOLE_FACILITY}/leases", responses=errors(401, 403, 404, 422))
def list_console_leases(
    service: ServiceDep, operator_id: OperatorReader, facility_id: FacilityPath
) -> list[ConsoleLease]:
    """Leases with their prices and what was attested of them, by lease id."""
    with own_facility(service.engine, operator_id, facility_id) as (connection, _):
        rows = lease_rows(connection, facility_id)
        leases = leases_of(connection, facility_id)
        attested = attested_by_lease(connection, facility_id)
    return [
        _answer(row, leases[row.lease], attested=attested.get(row.lease, 0))
        for row in sorted(rows, key=lambda r: r.lease_id)
    ]


def _answer(row: LeaseRow, lease: Lease, *, attested: int) -> ConsoleLease:
    newest = lease.versions[-1]
    committed = bool(newest.commitment or newest.minimum)
    return ConsoleLease(
        lease_id=row.lease_id,
        lease=hex32(row.lease),
        renter_ref=row.renter_ref,
        plan="take_or_pay" if committed else "on_demand",
        version=newest.version,
        terms_hash=hex32(terms_hash(lease.lease, newest)),
        committed_gpus=newest.commitment[-1].gpus if newest.commitment else 0,
        max_gpus=newest.max_gpus,
        opened_at_s=min(terms.from_s for terms in lease.versions),
        closed_at_s=ends_at(lease),
        prices=[*_prices(lease)],
        attested_micros=attested,
    )


def _prices(lease: Lease) -> Iterator[PriceOut]:
    """Prices by the stretches in which the lease runs; the same price again is not told twice."""
    last: tuple[int, PriceStep] | None = None
    for stretch in lease.stretches:
        step = _step(stretch.terms, stretch.start_s)
        if step is None or last == (stretch.terms.version, step):
            continue
        last = stretch.terms.version, step
        yield PriceOut(
            version=stretch.terms.version,
            effective_from_s=stretch.start_s,
            price_micros_per_gpu_hour=step.price,
            gpus=step.gpus,
        )


def _step(terms: TermsVersion, instant_s: int) -> PriceStep | None:
    return next((p for p in reversed(terms.prices) if p.from_s <= instant_s), None)
