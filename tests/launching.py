"""More facilities in a world, and workers that see less of it."""

from api.chain import calldata
from api.db.chain_store import EventRow
from api.db.rows import insert_record
from api.db.session import transaction
from api.domain.lifecycle import FacilityState
from api.domain.units import Bytes32, FacilityId, tranche_id
from api.epochs.index import IndexProgress
from api.epochs.worker import Round
from tests.factories import START_S, Ledger
from tests.world import HOLDERS, World, send


def launch(world: World, facility_id: int) -> None:
    """Offer another registered facility, and fund it."""
    deployment, token_id = world.deployment, tranche_id(FacilityId(facility_id), 0)
    world.offer(facility_id)
    for contract, to, name, arguments in (
        ("BondVault", deployment.bond_vault, "setTerms", (facility_id, (0, 1_000_000))),
        ("TrancheToken", deployment.tranche_token, "mint", (HOLDERS[0], token_id, 1)),
    ):
        send(world.client, world.operator, to, calldata.call(contract, name, *arguments))
    world.approve_pledge(facility_id)
    fund = calldata.call("FacilityRegistry", "fund", facility_id)
    send(world.client, world.operator, deployment.facility_registry, fund)


def note_funded(ledger: Ledger) -> None:
    """Put into the index that the ledger's facility was funded, where there is no chain."""
    note_event(
        ledger, "FacilityStateChanged", ledger.facility_id, block=1, extra=FacilityState.FUNDED
    )


def note_event(
    ledger: Ledger,
    event: str,
    facility_id: int,
    *,
    block: int,
    extra: int | None = None,
    time_s: int = START_S,
    payload: str = "{}",
) -> None:
    """Put an event of a facility into the index, where there is no chain. One a block."""
    row = EventRow(
        block_number=block,
        log_index=0,
        part=0,
        block_time_s=time_s,
        tx_hash=Bytes32(bytes(32)),
        contract="PledgeRegistry" if event == "PledgeApproved" else "FacilityRegistry",
        event=event,
        facility_id=FacilityId(facility_id),
        epoch=None,
        token_id=None,
        account=None,
        counterparty=None,
        amount=None,
        extra=extra,
        statement_hash=None,
        payload=payload,
    )
    with transaction(ledger.engine) as connection:
        insert_record(connection, row)


def unaware_round(world: World) -> Round:
    """One round of a worker whose index stands still."""
    worker = world.worker()
    worker._indexer.advance = lambda: IndexProgress(0, 0, 0, 0)  # type: ignore[method-assign]
    return worker.run_once()
