"""Since: what the chain and published evidence know that a restored database does not."""

from collections.abc import Iterator, Sequence

from sqlalchemy import Engine

from api.chain.contracts import Contracts
from api.db.facilities import facility_rows
from api.db.session import reading
from api.db.statements import statements_before
from api.db.tables.facilities import FacilityRow
from api.domain.statements.evidence import MANIFEST_FILE, epoch_folder
from api.domain.units import MAX_I64, Bytes32, Epoch
from api.epochs.behind import note_published
from api.errors import AppError, NotFound
from api.evidence_store import EvidenceFolder


def known_since(engine: Engine, evidence: EvidenceFolder, contracts: Contracts | None) -> list[str]:
    """What happened after the copy from which a database was restored, in sentences.

    A log that published statements show to be longer is noted as behind: until it has all of it,
    nothing new is written there.
    Args:    contracts: None where no node answers for them.
    Raises:  ChainUnavailable, DatabaseUnavailable.
    """
    note_published(engine, evidence)
    with reading(engine) as connection:
        rows = sorted(facility_rows(connection), key=lambda row: row.facility_id)
        stated = {
            row.facility_id: [
                s.statement_hash
                for s in statements_before(connection, row.facility_id, Epoch(MAX_I64))
            ]
            for row in rows
        }
    said: list[str] = []
    for row in rows:
        said += _of_log(row)
        if contracts is not None:
            said += _of_chain(contracts, evidence, row, stated[row.facility_id])
    return said


def _of_log(row: FacilityRow) -> Iterator[str]:
    if row.behind:
        yield (
            f"facility {row.facility_id}: its log has {row.log_size} entries, and published"
            f" statements show that it had {row.log_due}. Agents give back by themselves what they"
            " signed; what nobody signed comes from a copy of the log (`rentroll log restore`)."
            " Until it has all, nothing new is recorded or closed there: `rentroll log status"
            f" {row.facility_id}`"
        )


def _of_chain(
    contracts: Contracts,
    evidence: EvidenceFolder,
    row: FacilityRow,
    stated: Sequence[Bytes32],
) -> Iterator[str]:
    registry, facility_id = contracts.statement_registry, row.facility_id
    try:
        block = contracts.client.head().number
        posted = registry.epochs_posted(facility_id).at(block=block)
        there = min(posted, len(stated))
        for number in map(Epoch, range(there)):
            record = registry.statement_of(facility_id, number).at(block=block)
            if record.statement_hash != stated[number]:
                yield (
                    f"facility {facility_id}: the chain has another statement of epoch {number}"
                    " than the backup: is it of this service? Nothing of it can be posted"
                )
                return
    except AppError as error:
        yield f"facility {facility_id}: the chain does not say how far it is: {error.message}"
        return
    if posted <= len(stated):
        return
    named = f"epochs {len(stated)} to {posted - 1}"
    yield f"facility {facility_id}: {named} were posted after the backup; they are closed again"
    lacking = [
        str(number)
        for number in map(Epoch, range(len(stated), posted))
        if not _is_there(evidence, f"{epoch_folder(facility_id, number)}/{MANIFEST_FILE}")
    ]
    if lacking:
        yield (
            f"facility {facility_id}: the evidence of epochs {', '.join(lacking)} is on the chain"
            " and not here: put a copy of it in its place (a mirror has it) before anything is"
            " closed, so that the service knows how long its log was"
        )


def _is_there(evidence: EvidenceFolder, path: str) -> bool:
    try:
        evidence.read(path)
    except NotFound:
        return False
    return True
