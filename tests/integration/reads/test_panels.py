"""Panels and bonds from indexed events: a change that waits holds later, or never."""

import pytest
from sqlalchemy import Engine

from api.chain.emitted.args import EventArgs
from api.chain.emitted.attester_registry import (
    AttesterBondDeposited,
    AttesterBondWithdrawn,
    AttesterPeriodSet,
    AttesterSlashed,
    AttesterUrlSet,
    PanelSet,
)
from api.chain.events import ChainEvent
from api.db import chain_store
from api.db.chain_store import BlockRow
from api.db.session import reading, transaction
from api.domain.units import Address, Bytes32, FacilityId, Micros
from api.epochs.index import event_row
from api.reads.attesters import attester_warnings, link_of
from api.reads.sql import attesters
from api.reads.sql.panels import panels_at

A, B, C = (Address("0x" + digit * 40) for digit in "abc")


def _indexed(engine: Engine, *events: tuple[int, EventArgs]) -> None:
    """Index events, one a block, each in its second."""
    rows = [
        event_row(
            ChainEvent(block, at_s, 0, Bytes32(bytes([block]) * 32), "AttesterRegistry", args)
        )
        for block, (at_s, args) in enumerate(events, start=1)
    ]
    with transaction(engine) as connection:
        last = BlockRow(len(rows), Bytes32(b"\1" * 32), events[-1][0])
        chain_store.append_range(connection, rows, last)


@pytest.mark.both_databases
def test_panels__changes_that_wait__hold_from_their_second_on(engine: Engine) -> None:
    """The contract keeps one change in waiting: a later one takes its place."""
    _indexed(
        engine,
        (10, PanelSet(1, (A,), 1, 10)),
        (20, PanelSet(1, (A, B, C), 2, 50)),
        (30, PanelSet(1, (B,), 1, 60)),
        (35, PanelSet(2, (C,), 1, 70)),
    )

    def seats(now_s: int) -> dict[int, tuple[Address, ...]]:
        with reading(engine) as connection:
            return {n: panel.attesters for n, panel in panels_at(connection, now_s).items()}

    assert seats(59) == {1: (A,)}
    assert seats(60) == {1: (B,)}
    assert seats(70) == {1: (B,), 2: (C,)}


@pytest.mark.both_databases
def test_panels__change_in_the_second_of_another__comes_after_it(engine: Engine) -> None:
    _indexed(engine, (10, PanelSet(1, (A,), 1, 20)), (20, PanelSet(1, (B,), 1, 30)))

    with reading(engine) as connection:
        found = [panels_at(connection, now_s)[1].attesters for now_s in (20, 29, 30)]

    assert found == [(A,), (A,), (B,)]


@pytest.mark.both_databases
def test_attesters__bonds_links_and_losses__are_summed_by_account(engine: Engine) -> None:
    forever = 2**40 - 1
    slashed = AttesterSlashed(B, FacilityId(1), Bytes32(b"\2" * 32), C, Micros(30), Micros(15))
    _indexed(
        engine,
        (10, AttesterPeriodSet(A, 10, forever)),
        (10, AttesterPeriodSet(B, 10, forever)),
        (10, AttesterPeriodSet(C, 10, 20)),
        (10, PanelSet(1, (B,), 1, 10)),
        (11, AttesterBondDeposited(A, C, Micros(100), Micros(100))),
        (12, AttesterBondDeposited(B, B, Micros(100), Micros(100))),
        (13, slashed),
        (14, AttesterBondDeposited(C, C, Micros(7), Micros(7))),
        (15, AttesterBondWithdrawn(C, B, Micros(7))),
        (16, AttesterUrlSet(A, "https://a.example/verdicts")),
        (30, AttesterUrlSet(B, "javascript:alert(1)")),
    )

    with reading(engine) as connection:
        bonds, lost = attesters.bonds(connection), attesters.slashed(connection)
        urls = attesters.newest_urls(connection)
        warnings = attester_warnings(connection, minimum_bond_micros=100)
        unknown = attester_warnings(connection, minimum_bond_micros=None)

    assert bonds == {A: 100, B: 70, C: 0}
    assert lost == {B: 30}
    assert urls == {A: "https://a.example/verdicts", B: "javascript:alert(1)"}
    # C left: nobody misses its seat.
    assert [said.lower() for said in warnings] == [
        f"{A} sits on no panel",
        f"the bond of {B} is 70 micros, below the minimum of 100",
    ]
    assert [said.lower() for said in unknown] == [f"{A} sits on no panel"]


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://a.example/", "https://a.example/"),
        ("http://a.example/", "http://a.example/"),
        ("", ""),
        ("javascript:alert(1)", ""),
        ("https://a.example/\n", ""),
        ("https://a.example/é", ""),
        ("https://" + "a" * 2_000, ""),
    ],
)
def test_link__of_what_an_attester_says__is_one_that_pages_can_show(url: str, shown: str) -> None:
    assert link_of(url) == shown
