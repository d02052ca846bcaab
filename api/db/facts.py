"""SQL of facts: writing what events told, and reading it back in the order of the log."""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from sqlalchemy import ColumnElement, Connection, select, update

from api.db.bulk import chunks
from api.db.rows import columns_of, rows_as
from api.db.tables.ledger import (
    HELD_KINDS,
    OUT_KINDS,
    FactKind,
    FactRow,
    NewFact,
    TakenTime,
    facts,
)
from api.domain.json_text import canonical_line, read_json
from api.domain.metering.bounds import recorded_from_s
from api.domain.metering.facts import (
    Adjusted,
    Agreed,
    Fact,
    Held,
    Out,
    Place,
    Seen,
    Until,
    Voided,
)
from api.domain.metering.intervals import Span
from api.domain.metering.lease import Lease
from api.domain.metering.lease_terms import TermsVersion
from api.domain.metering.taken import Known
from api.domain.statements.told import Told, fact_document, fact_from
from api.domain.units import Bytes32, FacilityId

_KINDS = {kind.value: kind for kind in FactKind}
_USAGE, _DELIVERY = FactKind.USAGE.value, FactKind.DELIVERY.value
_DOCUMENTS = {
    Until: FactKind.UNTIL,
    Voided: FactKind.VOID,
    Agreed: FactKind.TERMS,
    Adjusted: FactKind.ADJUSTMENT,
}


def new_fact(fact: Fact, *, place: Place, part: int, facility_id: FacilityId, at_s: int) -> NewFact:
    """Row of a fact that an event told, as its `part`."""
    if isinstance(fact, Held):
        # Nearly all facts are: without a look at what others have.
        return NewFact(
            facility_id=facility_id,
            entry=place.entry,
            place=place.index,
            part=part,
            kind=_DELIVERY if fact.delivery else _USAGE,
            device=fact.device,
            lease=fact.lease,
            start_s=fact.start_s,
            end_s=fact.end_s,
            until_s=fact.end_s,
            ended=False,
            voided=None,
            document=None,
            recorded_at_s=at_s,
        )
    document = None
    if isinstance(fact, Out):
        kind = FactKind.PLANNED if fact.planned else FactKind.OUTAGE
    elif isinstance(fact, Seen):
        kind = FactKind.SEEN
    else:
        kind = _DOCUMENTS[type(fact)]
        document = canonical_line(fact_document(fact))
    end_s = fact.end_s if isinstance(fact, Out | Seen) else None
    return NewFact(
        facility_id=facility_id,
        entry=place.entry,
        place=place.index,
        part=part,
        kind=kind.value,
        device=fact.device if isinstance(fact, Out | Seen) else None,
        lease=fact.lease if isinstance(fact, Out | Agreed | Adjusted) else None,
        start_s=fact.start_s if isinstance(fact, Out | Seen) else None,
        end_s=end_s,
        until_s=end_s,
        ended=False,
        voided=None,
        document=document,
        recorded_at_s=at_s,
    )


def fact_of(row: FactRow) -> Fact:
    """The fact of a row."""
    kind, place = _KINDS[row.kind], Place(row.entry, row.place)
    if row.document is not None:
        document = read_json(row.document)
        assert isinstance(document, dict)  # ours
        return fact_from(place, document)
    assert row.device is not None  # of what speaks of a device
    assert row.start_s is not None
    assert row.end_s is not None
    if kind is FactKind.SEEN:
        return Seen(row.device, row.start_s, row.end_s)
    assert row.lease is not None
    span = row.start_s, row.end_s
    if kind in OUT_KINDS:
        return Out(place, row.device, row.lease, *span, kind is FactKind.PLANNED)
    return Held(place, row.device, row.lease, *span, kind is FactKind.DELIVERY)


_ORDER = (facts.c.entry, facts.c.place, facts.c.part)


def told_between(
    connection: Connection, facility_id: FacilityId, *, after: int, up_to: int, recorded: Span
) -> Iterator[Told]:
    """Facts of the entries behind one and up to another, in the order of the log.

    Args:    recorded: seconds `[from, until)` in which those entries were recorded, or more of
             them: months outside are not looked at.
    """
    query = select(*columns_of(FactRow)).where(
        facts.c.facility_id == facility_id,
        facts.c.entry > after,
        facts.c.entry <= up_to,
        *_recorded_in(recorded),
    )
    for row in rows_as(FactRow, connection.execute(query.order_by(*_ORDER))):
        yield Told(Place(row.entry, row.place), row.recorded_at_s, fact_of(row))


def _recorded_in(recorded: Span) -> tuple[ColumnElement[bool], ...]:
    return facts.c.recorded_at_s >= recorded[0], facts.c.recorded_at_s < recorded[1]


def has_more_facts(
    connection: Connection, facility_id: FacilityId, *, after: int, most: int, recorded: Span
) -> bool:
    """Whether the entries behind one told more facts than so many. Looks at no more either."""
    query = (
        select(facts.c.part)
        .where(facts.c.facility_id == facility_id, facts.c.entry > after, *_recorded_in(recorded))
        .offset(most)
        .limit(1)
    )
    return connection.execute(query).first() is not None


def leases_of(
    connection: Connection, facility_id: FacilityId, *, up_to: int | None = None
) -> dict[Bytes32, Lease]:
    """All leases of a facility with all their terms, or with those up to an entry of its log."""
    known = [] if up_to is None else [facts.c.entry <= up_to]
    return _leases(connection, facility_id, *known)


def leases_agreed_in(
    connection: Connection, facility_id: FacilityId, *, first: int, last: int, recorded: Span
) -> set[Bytes32]:
    """Leases of which the entries from one to another tell terms.

    Args:    recorded: as `told_between`.
    """
    query = select(facts.c.lease).where(
        facts.c.facility_id == facility_id,
        facts.c.kind == FactKind.TERMS.value,
        facts.c.entry.between(first, last),
        *_recorded_in(recorded),
    )
    return {Bytes32(lease) for lease in connection.execute(query).scalars() if lease is not None}


def terms_of(
    connection: Connection, facility_id: FacilityId, leases: Iterable[Bytes32]
) -> list[Lease]:
    """Some leases with all their terms; those that have none are left out."""
    found: list[Lease] = []
    for some in chunks(sorted(set(leases))):
        found += _leases(connection, facility_id, facts.c.lease.in_(some)).values()
    return found


def _leases(
    connection: Connection, facility_id: FacilityId, *which: ColumnElement[bool]
) -> dict[Bytes32, Lease]:
    query = select(facts.c.document).where(
        facts.c.facility_id == facility_id, facts.c.kind == FactKind.TERMS.value, *which
    )
    versions: dict[Bytes32, list[TermsVersion]] = {}
    for document in connection.execute(query.order_by(*_ORDER)).scalars():
        assert document is not None  # of terms
        agreed = _agreed(bytes(document))
        versions.setdefault(agreed.lease, []).append(agreed.terms)
    return {lease: _lease(lease, tuple(terms)) for lease, terms in versions.items()}


@lru_cache(maxsize=16_384)
def _agreed(document: bytes) -> Agreed:
    """Terms from their stored document: it never changes."""
    read = read_json(document)
    assert isinstance(read, dict)  # ours
    fact = fact_from(Place(0, 0), read)
    assert isinstance(fact, Agreed)
    return fact


@lru_cache(maxsize=4_096)
def _lease(lease: Bytes32, versions: tuple[TermsVersion, ...]) -> Lease:
    # One object as long as nothing is agreed anew: it knows its stretches.
    return Lease(lease, versions)


def set_until(
    connection: Connection, facility_id: FacilityId, known: Known, *, until_s: int, ended: bool
) -> None:
    """An allocation lasts until another time, as it stands now; `ended`: for good."""
    values = {"until_s": until_s, "ended": ended}
    connection.execute(update(facts).where(*_of(facility_id, known)).values(**values))


def set_voided(
    connection: Connection, facility_id: FacilityId, known: Known, *, entry: int
) -> None:
    """A fact is taken back by an entry."""
    connection.execute(update(facts).where(*_of(facility_id, known)).values(voided=entry))


def _of(facility_id: FacilityId, known: Known) -> tuple[ColumnElement[bool], ...]:
    """The fact of an event that can change."""
    kinds = [kind.value for kind in (*HELD_KINDS, *OUT_KINDS)]
    return (
        facts.c.facility_id == facility_id,
        facts.c.entry == known.place.entry,
        facts.c.place == known.place.index,
        facts.c.kind.in_(kinds),
        facts.c.recorded_at_s == known.recorded_at_s,
    )


def taken_in(
    connection: Connection,
    facility_id: FacilityId,
    devices: Sequence[Bytes32],
    *,
    start_s: int,
    end_s: int,
    longest_s: int,
    newest_s: int,
) -> list[TakenTime]:
    """What stands of devices that shares a second with `[start_s, end_s)`, or ends beside it.

    Args:    longest_s: none is longer.  newest_s: recorded time of the log's newest entry.
    """
    recorded = recorded_from_s(start_s - longest_s), newest_s + 1
    found: list[TakenTime] = []
    for some in chunks(devices):
        query = select(*columns_of(TakenTime)).where(
            facts.c.facility_id == facility_id,
            facts.c.device.in_(some),
            facts.c.start_s >= start_s - longest_s,
            facts.c.start_s <= end_s,
            facts.c.until_s >= start_s,
            facts.c.kind.in_([kind.value for kind in (*HELD_KINDS, *OUT_KINDS)]),
            facts.c.voided.is_(None),
            *_recorded_in(recorded),
        )
        found += rows_as(TakenTime, connection.execute(query))
    return found


def held_by_leases(
    connection: Connection,
    facility_id: FacilityId,
    leases: Iterable[Bytes32],
    *,
    start_s: int,
    end_s: int,
    longest_s: int,
    newest_s: int,
) -> list[TakenTime]:
    """What leases hold, as it stands, that shares a second with `[start_s, end_s)`.

    Args:    longest_s, newest_s: as of `taken_in`.
    """
    recorded = recorded_from_s(start_s - longest_s), newest_s + 1
    wanted = sorted(set(leases))
    if not wanted:
        return []
    query = select(*columns_of(TakenTime)).where(
        facts.c.facility_id == facility_id,
        facts.c.lease.in_(wanted),
        facts.c.start_s >= start_s - longest_s,
        facts.c.start_s < end_s,
        facts.c.until_s > start_s,
        facts.c.kind.in_([kind.value for kind in HELD_KINDS]),
        facts.c.voided.is_(None),
        *_recorded_in(recorded),
    )
    return rows_as(TakenTime, connection.execute(query))
