"""SQL of replaced devices."""

from collections.abc import Sequence

from sqlalchemy import Connection, delete, or_, select, update

from api.db.chain_store import cancelled_facilities
from api.db.rows import columns_of, insert_record, rows_as
from api.db.tables.facilities import facilities
from api.db.tables.replacements import (
    NewReplacement,
    ReplacementRow,
    ReplacementSignature,
    replacement_signatures,
    replacements,
)
from api.domain.units import Bytes32, FacilityId

_ROWS = select(*columns_of(ReplacementRow))


def replacements_of(connection: Connection, facility_id: FacilityId) -> list[ReplacementRow]:
    """What was asked for in a facility, in that order."""
    query = _ROWS.where(replacements.c.facility_id == facility_id)
    found = connection.execute(query.order_by(replacements.c.replacement_pk))
    return rows_as(ReplacementRow, found)


def roots_asked_for(connection: Connection, facility_id: FacilityId) -> set[Bytes32]:
    """Roots of what was asked for in a facility."""
    query = select(replacements.c.pledge_root).where(replacements.c.facility_id == facility_id)
    return set(connection.execute(query).scalars())


def pledge_documents(
    connection: Connection, facility_id: FacilityId, roots: Sequence[Bytes32]
) -> dict[Bytes32, bytes]:
    """Published pledges of a facility by root: each names all of its devices."""
    query = select(replacements.c.pledge_root, replacements.c.document).where(
        replacements.c.facility_id == facility_id, replacements.c.pledge_root.in_(roots)
    )
    return {row.pledge_root: bytes(row.document) for row in connection.execute(query)}


def facilities_with_replacements(connection: Connection) -> list[FacilityId]:
    """Facilities in which one was asked for, and that are not cancelled, by id."""
    query = (
        select(replacements.c.facility_id)
        .distinct()
        .where(replacements.c.facility_id.not_in(cancelled_facilities()))
    )
    return list(connection.execute(query.order_by(replacements.c.facility_id)).scalars())


def replacements_by(
    connection: Connection, names: Sequence[str], *, window_start_s: int, window_end_s: int
) -> list[ReplacementRow]:
    """What was asked for with some devices or their cards, in facilities of the same time."""
    query = (
        _ROWS.join(facilities, facilities.c.facility_id == replacements.c.facility_id)
        .where(
            or_(replacements.c.uuid.in_(names), replacements.c.card_uuid.in_(names)),
            facilities.c.window_start_s < window_end_s,
            facilities.c.window_end_s > window_start_s,
            facilities.c.facility_id.not_in(cancelled_facilities()),
        )
        .order_by(replacements.c.replacement_pk)
    )
    return rows_as(ReplacementRow, connection.execute(query))


def insert_replacement(connection: Connection, new: NewReplacement) -> None:
    """Store what an operator asks for."""
    insert_record(connection, new)


def renew_replacement(
    connection: Connection, replacement_pk: int, *, old_uuid: str, reason: str, asked_at_s: int
) -> None:
    """What was taken back is asked for again: the same pledge, maybe of another history."""
    connection.execute(
        update(replacements)
        .where(replacements.c.replacement_pk == replacement_pk)
        .values(old_uuid=old_uuid, reason=reason, asked_at_s=asked_at_s, withdrawn_at_s=None)
    )


def withdraw(connection: Connection, replacement_pk: int, *, withdrawn_at_s: int) -> None:
    """Note that an operator takes back what it asked for. The row stays: a root names it."""
    connection.execute(
        update(replacements)
        .where(replacements.c.replacement_pk == replacement_pk)
        .values(withdrawn_at_s=withdrawn_at_s)
    )


def replacement_signatures_of(
    connection: Connection, replacement_pk: int, *, approvals: int
) -> dict[str, bytes]:
    """Signature by attester over a replacement that count after so many approvals."""
    columns = replacement_signatures.c
    query = select(columns.attester, columns.signature).where(
        columns.replacement_pk == replacement_pk, columns.approvals == approvals
    )
    return {row.attester: row.signature for row in connection.execute(query)}


def save_replacement_signature(connection: Connection, signature: ReplacementSignature) -> None:
    """Store a signature in the place of the attester's earlier one."""
    connection.execute(
        delete(replacement_signatures).where(
            replacement_signatures.c.replacement_pk == signature.replacement_pk,
            replacement_signatures.c.attester == signature.attester,
        )
    )
    insert_record(connection, signature)
