"""How the service is: whether it is up, and how far it has read the chain."""

from dataclasses import dataclass

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.db import chain_store
from api.db import outbox as outbox_rows
from api.db.session import ping, reading
from api.epochs.index import final_block
from api.errors import ChainUnavailable
from api.reads.attesters import attester_warnings
from api.routes.http.problems import errors
from api.routes.service import Service, ServiceDep

router = APIRouter(tags=["public"])


class HealthOut(BaseModel):
    """The service is up."""

    status: str = Field(description="Always `ok`; anything else is a problem.")


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
    attester_warnings: list[str] = Field(
        description="Members of the attester set whose signatures count nowhere, and why, in words:"
        " a bond below the minimum, or no seat on a panel; as of the indexed block."
    )


@dataclass(frozen=True, slots=True)
class Blocks:
    """Numbers of the newest indexed block, the newest final one and the node's newest."""

    indexed: int | None
    final: int | None
    head: int | None


def read_blocks(service: Service) -> Blocks:
    """How far the chain is read; None where nothing is indexed, or no node answers."""
    with reading(service.engine) as connection:
        block = chain_store.last_block(connection)
    try:
        head = service.client.head().number
    except ChainUnavailable:
        head = None
    indexed = block.number if block else None
    final = final_block(indexed=indexed, head=head, confirmations=service.settings.confirmations)
    return Blocks(indexed, final, head)


@router.get("/health", responses=errors())
def check_health(service: ServiceDep) -> HealthOut:
    """Answers once the database does."""
    ping(service.engine)
    return HealthOut(status="ok")


@router.get("/v1/status", responses=errors())
def get_status(service: ServiceDep) -> StatusOut:
    """Head of the chain, newest indexed and final block, transactions under way, warnings."""
    minimum = service.facts.read().minimum_bond_micros
    with reading(service.engine) as connection:
        waiting = outbox_rows.open_count(connection)
        warnings = attester_warnings(connection, minimum_bond_micros=minimum)
    blocks = read_blocks(service)
    return StatusOut(
        chain_head=blocks.head,
        indexed_block=blocks.indexed,
        final_block=blocks.final,
        now_s=service.clock(),
        open_transactions=waiting,
        attester_warnings=warnings,
    )
