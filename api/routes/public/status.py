"""How the service is: whether it is up, and how far it has read the chain."""

from dataclasses import dataclass

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.db import chain_store, index_store
from api.db import outbox as outbox_rows
from api.db.index_store import IndexState
from api.db.session import ping, reading
from api.reads.attesters import attester_warnings
from api.reads.relayer import StoppedRelayer, stopped_relayer
from api.routes.http.problems import errors
from api.routes.service import Service, ServiceDep

router = APIRouter(tags=["public"])


class HealthOut(BaseModel):
    """The service is up."""

    status: str = Field(description="Always `ok`; anything else is a problem.")


class IndexOut(BaseModel):
    """How the copy of the chain stands, from which everything that is shown comes."""

    state: str = Field(
        description="`following`; `catching_up`; `waiting` for a node that answers or is up to"
        " date; `incomplete`: it contradicts the contracts; `halted`: the chain is another one, or"
        " took back what was final, and a person has to look."
    )
    reason: str | None = Field(description="Why, in words, with the way out; null if all is well.")
    since_s: int = Field(description="In this state since, UTC seconds by wall clock.")
    seen_at_s: int = Field(description="Newest look at the chain, UTC seconds by wall clock.")
    chain_head: int = Field(description="Newest block then.")
    now_s: int = Field(
        description="The same wall clock now, UTC seconds: a look long ago means that nothing reads"
        " the chain."
    )
    checked_block: int = Field(description="Up to this block, logs were looked at twice.")


class RelayerOut(BaseModel):
    """Why nothing is sent to the chain."""

    problem: str = Field(
        description="`key`: it cannot be opened. `signer`: what holds it does not sign."
        " `no_funds`: it cannot pay for gas. `fee_cap`: gas costs more than it may offer."
    )
    detail: str = Field(description="The same in words.")
    since_s: int = Field(description="Since when, UTC seconds.")


class StatusOut(BaseModel):
    """Where the service stands."""

    chain_head: int | None = Field(description="Newest block of the node; null if unreachable.")
    indexed_block: int | None = Field(description="Newest indexed block.")
    final_block: int | None = Field(
        description="Number of the newest indexed block that is final: rows up to it stay, later"
        " ones a reorg can still take back. It never goes back."
    )
    index: IndexOut | None = Field(description="How the index stands; null before it ever ran.")
    now_s: int = Field(description="The service's clock, UTC seconds.")
    open_transactions: int = Field(description="Sent, outcome not known yet.")
    relayer: RelayerOut | None = Field(
        description="Why statements are not posted and rent is not settled now, as far as it is for"
        " the key that sends; null if nothing is in its way."
    )
    attester_warnings: list[str] = Field(
        description="Members of the attester set whose signatures count nowhere, and why, in words:"
        " a bond below the minimum, or no seat on a panel; as of the indexed block."
    )


@dataclass(frozen=True, slots=True)
class Blocks:
    """Numbers of the newest indexed block, and of the newest of these that is final."""

    indexed: int | None
    final: int | None


def read_blocks(service: Service) -> Blocks:
    """How far the chain is read; None where nothing is indexed, or nothing is final."""
    with reading(service.engine) as connection:
        block = chain_store.last_block(connection)
        final = index_store.final_number(connection)
    return Blocks(block.number if block else None, final)


def _to_api_index(state: IndexState, *, now_s: int) -> IndexOut:
    return IndexOut(
        state=state.state,
        reason=state.reason,
        since_s=state.since_s,
        seen_at_s=state.seen_at_s,
        now_s=now_s,
        chain_head=state.head,
        checked_block=state.looked_number,
    )


def _to_api_relayer(stopped: StoppedRelayer) -> RelayerOut:
    return RelayerOut(problem=stopped.problem, detail=stopped.sentence, since_s=stopped.since_s)


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
        state = index_store.index_state_row(connection)
        stopped = stopped_relayer(connection)
    blocks = read_blocks(service)
    wall_s = service.session_clock()
    return StatusOut(
        chain_head=service.newest.number(),
        indexed_block=blocks.indexed,
        final_block=blocks.final,
        index=None if state is None else _to_api_index(state, now_s=wall_s),
        now_s=service.clock(),
        open_transactions=waiting,
        relayer=None if stopped is None else _to_api_relayer(stopped),
        attester_warnings=warnings,
    )
