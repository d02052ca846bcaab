"""Reconciliation: every difference has a name, and what has none is a mismatch."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from api.domain.capital.reconciliation import (
    EpochFigures,
    FacilityFigures,
    reconcile,
    stated_gpu_seconds,
    total,
)
from api.domain.metering.usage import LineKind

# Of 1,000 GPU-seconds 10 were used in an outage and bill nothing, 110 are in no statement yet.
# Two epochs of 100 and 60 dollars posted, the first final; a third of 40 not posted. Rent of 130
# came in; 100 are settled with a fee of 1; of 99 accrued 20 still stream and 50 are claimed.
FIGURES = FacilityFigures(
    facility_id=7,
    metered_gpu_seconds=1_000,
    stated_gpu_seconds=880,
    open_gpu_seconds=110,
    unbilled_gpu_seconds=10,
    epochs=(
        EpochFigures(0, 100, 100, True),
        EpochFigures(1, 60, 60, False),
        EpochFigures(2, 40, None, False),
    ),
    collected_micros=130,
    settled_micros=100,
    fees_micros=1,
    accrued_micros=99,
    claimed_micros=50,
    unvested_micros=20,
)


def test_reconcile__books_in_order__names_every_difference_by_hand() -> None:
    found = reconcile(FIGURES)

    assert found.balanced
    assert (found.rated_micros, found.attested_micros) == (200, 160)
    d = found.differences
    assert (d.awaiting_posting_micros, d.challenge_window_micros) == (40, 60)
    assert (d.receivable_micros, d.prepaid_micros) == (30, 0)
    assert d.awaiting_settlement_micros == 0
    assert (d.fees_micros, d.streaming_micros, d.unclaimed_micros) == (1, 20, 29)
    assert (d.open_epoch_gpu_seconds, d.unbilled_gpu_seconds) == (110, 10)


def test_reconcile__one_micro_or_second_off__is_a_mismatch_by_name() -> None:
    cases = [
        ("metered_gpu_seconds", replace(FIGURES, metered_gpu_seconds=1_001)),
        ("metered_gpu_seconds", replace(FIGURES, unbilled_gpu_seconds=9)),
        ("attested_micros", replace(FIGURES, epochs=(EpochFigures(0, 101, 100, True),))),
        ("settled_micros", replace(FIGURES, settled_micros=101, accrued_micros=100)),
        ("accrued_micros", replace(FIGURES, accrued_micros=98)),
        ("claimed_micros", replace(FIGURES, claimed_micros=80)),
    ]

    for number, figures in cases:
        found = reconcile(figures)
        assert [m.number for m in found.mismatches] == [number]
        assert not found.balanced
        assert number in found.mismatches[0].sentence(7)


def test_reconcile__after_a_closing__names_advance_and_recovered_money_by_hand() -> None:
    """The bond paid the last 30 of 160 and gave units 50; of that rent, 10 came late."""
    closed = replace(
        FIGURES,
        epochs=(EpochFigures(0, 100, 100, True), EpochFigures(1, 60, 60, True)),
        collected_micros=140,
        settled_micros=160,
        advanced_micros=20,
        recovered_micros=50,
        written_off_micros=30,
        owed_to_operator_micros=9,
        accrued_micros=160 - 1 - 9 + 50,
    )

    found = reconcile(closed)

    assert found.balanced
    d = found.differences
    assert (d.receivable_micros, d.written_off_micros, d.awaiting_settlement_micros) == (0, 20, 0)
    assert (d.advanced_micros, d.recovered_micros) == (20, 50)
    more = reconcile(replace(closed, advanced_micros=19))
    assert [m.number for m in more.mismatches] == ["settled_micros"]


def test_reconcile__late_rent_went_to_claims__is_not_waiting_for_a_settlement() -> None:
    """Of 160, 100 were settled, the bond's 20 with them; 80 came late, of which claims got 50."""
    closed = replace(
        FIGURES,
        epochs=(EpochFigures(0, 100, 100, True), EpochFigures(1, 60, 60, True)),
        collected_micros=160,
        settled_micros=130,
        advanced_micros=20 - 50,
        recovered_micros=40,
        accrued_micros=130 - 1 + 40,
    )
    unshared = replace(
        closed, settled_micros=100, advanced_micros=20, recovered_micros=0, accrued_micros=99
    )

    found, waiting = reconcile(closed), reconcile(unshared)

    assert found.balanced
    d = found.differences
    assert (d.receivable_micros, d.awaiting_settlement_micros, d.advanced_micros) == (0, 0, -30)
    assert (waiting.balanced, waiting.differences.awaiting_settlement_micros) == (True, 80)


_MONEY = st.integers(0, 10**15)


@given(
    st.lists(st.tuples(_MONEY, st.sampled_from(("open", "posted", "final"))), max_size=6),
    _MONEY,
    st.tuples(*[st.integers(0, 100)] * 6),
)
def test_reconcile__honest_books__balance_and_the_differences_add_up(
    epochs: list[tuple[int, str]], collected: int, percents: tuple[int, ...]
) -> None:
    rows = tuple(
        EpochFigures(i, rated, None if state == "open" else rated, state == "final")
        for i, (rated, state) in enumerate(epochs)
    )
    final = sum(r.rated_micros for r in rows if r.final)
    advanced = max(0, final - collected) * percents[4] // 100
    settled = min(final, collected + advanced) * percents[0] // 100
    recovered = advanced * percents[5] // 100
    fees = settled * percents[1] // 1_000
    accrued = settled - fees + recovered
    unvested = accrued * percents[2] // 100
    claimed = (accrued - unvested) * percents[3] // 100

    found = reconcile(
        FacilityFigures(
            *(1, 5, 2, 0, 3, rows, collected, settled, fees, accrued, claimed, unvested),
            advanced_micros=advanced,
            recovered_micros=recovered,
        )
    )

    d = found.differences
    assert found.balanced
    assert found.rated_micros == found.attested_micros + d.awaiting_posting_micros
    assert found.attested_micros == found.collected_micros + d.receivable_micros - d.prepaid_micros
    assert d.receivable_micros == 0 or d.prepaid_micros == 0
    spread = d.fees_micros + d.streaming_micros + d.unclaimed_micros
    assert found.settled_micros + d.recovered_micros == found.claimed_micros + spread
    assert found.settled_micros <= found.collected_micros + d.advanced_micros
    assert d.unbilled_gpu_seconds == 3
    whole = total([found, found])
    assert whole.differences.unbilled_gpu_seconds == 6
    assert whole.rated_micros == 2 * found.rated_micros
    assert whole.differences.unclaimed_micros == 2 * d.unclaimed_micros


def test_total__mismatch_of_one__is_a_mismatch_of_all() -> None:
    broken = reconcile(replace(FIGURES, accrued_micros=98))

    assert not total([reconcile(FIGURES), broken]).balanced


def test_stated_seconds__by_kind__voids_take_off_and_money_lines_do_not_count() -> None:
    seconds = dict(zip(LineKind, (10, 20, 5, 4, 3, *(99,) * 7), strict=True))

    assert stated_gpu_seconds(seconds.items()) == 36
