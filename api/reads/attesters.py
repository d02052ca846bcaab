"""Attesters from indexed events: periods, panels, what they signed and what they lost."""

from collections import defaultdict
from dataclasses import dataclass

from api.chain.calldata import checksum
from api.chain.contracts import Contracts
from api.db import chain_store, statements
from api.db.session import Connection, Engine, reading
from api.db.tables.statements import StatementKey
from api.domain.lifecycle import Standing
from api.domain.units import Address
from api.reads.panels import PanelView, to_panel
from api.reads.sql import attesters, panels

# `IAttesterRegistry`: the largest uint40 stands for a membership without end.
_FOREVER = 2**40 - 1
_LONGEST_URL = 2_000


@dataclass(frozen=True, slots=True)
class AttesterView:
    """One attester and its record.

    active: whether its signatures count: it is a member, and its bond is the least one or more.
    panels: numbers of those on which it sits.
    """

    address: str
    active_from_s: int
    active_until_s: int | None
    active: bool
    bond_micros: int
    slashed_micros: int
    panels: tuple[int, ...]
    url: str
    statements_signed: int
    statements_voided: int
    last_signed_at_s: int | None


@dataclass(frozen=True, slots=True)
class AttestersView:
    """All that ever were members, and the panels; amounts are None without a deployment."""

    minimum_bond_micros: int | None
    slash_amount_micros: int | None
    panels: tuple[PanelView, ...]
    attesters: tuple[AttesterView, ...]


@dataclass(slots=True)
class _Record:
    """Statements of one attester."""

    signed: int = 0
    voided: int = 0
    last_signed_at_s: int | None = None


def _records(connection: Connection) -> dict[str, _Record]:
    """Records by lower-case address. An epoch that was posted twice counts twice."""
    records: defaultdict[str, _Record] = defaultdict(_Record)
    # A void takes what stands at that moment, so postings and voids are replayed in chain order.
    standing: defaultdict[int, Standing[tuple[Address, ...]]] = defaultdict(Standing)
    for row in attesters.signed_and_voided(connection):
        of_facility = standing[row.facility_id]
        if isinstance(row, attesters.SignedRow):
            of_facility.post(row.epoch, row.attesters)
            for address in row.attesters:
                records[address].signed += 1
                records[address].last_signed_at_s = row.posted_at_s
            continue
        for signers in of_facility.void(first=row.first_epoch, before=row.before_epoch):
            for address in signers:
                records[address].voided += 1
    return records


def link_of(url: str) -> str:
    """What an attester gave as its URL, if it is one that pages can link; else empty."""
    linkable = url.startswith(("https://", "http://")) and url.isascii() and url.isprintable()
    return url if linkable and len(url) <= _LONGEST_URL else ""


def read_attesters(engine: Engine, contracts: Contracts | None) -> AttestersView:
    """Attesters as of the newest indexed block, by address. Raises ChainUnavailable."""
    with reading(engine) as connection:
        block = chain_store.last_block(connection)
        seated = {} if block is None else panels.panels_at(connection, block.time_s)
        periods = attesters.newest_periods(connection)
        urls, slashed = attesters.newest_urls(connection), attesters.slashed(connection)
        records = _records(connection)
    if contracts is None or block is None:
        return AttestersView(None, None, (), ())
    registry, addresses = contracts.attester_registry, sorted(periods)
    minimum, slash_amount, bonds = contracts.together(
        registry.minimum_bond_micros(),
        registry.slash_amount_micros(),
        contracts.all_of([registry.bond_micros(address) for address in addresses]),
    ).at(block=block.number)
    views = []
    for address, bond in zip(addresses, bonds, strict=True):
        period, record = periods[address], records.get(address, _Record())
        member = period.active_from_s <= block.time_s < period.active_until_s
        views.append(
            AttesterView(
                address=checksum(address),
                active_from_s=period.active_from_s,
                active_until_s=None if period.active_until_s == _FOREVER else period.active_until_s,
                active=member and bond >= minimum,
                bond_micros=bond,
                slashed_micros=slashed.get(address, 0),
                panels=tuple(n for n, panel in seated.items() if address in panel.attesters),
                url=link_of(urls.get(address, "")),
                statements_signed=record.signed,
                statements_voided=record.voided,
                last_signed_at_s=record.last_signed_at_s,
            )
        )
    shown = tuple(map(to_panel, seated.values()))
    return AttestersView(minimum, slash_amount, shown, tuple(views))


def read_pending(engine: Engine, attester: str, *, offset: int, limit: int) -> list[StatementKey]:
    """Closed statements that an attester has not signed, of facilities on whose panel it sits by
    the newest indexed block: what was never offered has none."""
    with reading(engine) as connection:
        block = chain_store.last_block(connection)
        if block is None:
            return []
        seated = panels.panels_at(connection, block.time_s)
        waiting = statements.facilities_unsigned_by(connection, attester)
        offered = panels.offered_panels(connection, waiting)
        own = [
            facility_id
            for facility_id, number in offered.items()
            if number in seated and attester.lower() in seated[number].attesters
        ]
        return statements.unsigned_by(connection, attester, own, offset=offset, limit=limit)


def attester_warnings(connection: Connection, *, minimum_bond_micros: int | None) -> list[str]:
    """Members whose signatures count nowhere, and why, in words; as of the newest indexed block.

    Args:    minimum_bond_micros: the least bond; None while it is not known: then no bond is
             judged.
    """
    block = chain_store.last_block(connection)
    if block is None:
        return []
    seated = panels.panels_at(connection, block.time_s).values()
    held = attesters.bonds(connection)
    found = []
    for address, period in sorted(attesters.newest_periods(connection).items()):
        if not period.active_from_s <= block.time_s < period.active_until_s:
            continue
        bond = held.get(address, 0)
        if minimum_bond_micros is not None and bond < minimum_bond_micros:
            found.append(
                f"the bond of {checksum(address)} is {bond} micros, below the minimum of"
                f" {minimum_bond_micros}"
            )
        if not any(address in panel.attesters for panel in seated):
            found.append(f"{checksum(address)} sits on no panel")
    return found
