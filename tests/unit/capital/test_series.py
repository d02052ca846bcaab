"""Series of a tranche: few points, and no sum lost."""

from itertools import pairwise

import pytest

from api.domain.capital.series import EpochStatementFigures, Window, build_series, epoch_of

_WINDOW = Window(1_000, 100, 2_000, 100 * 990_000)


def test_series__of_three_epochs__has_one_point_each() -> None:
    statements = {0: EpochStatementFigures(5, 60, 90), 1: EpochStatementFigures(7, 70, 100)}

    found = build_series(_WINDOW, statements=statements, accrued={0: 3}, settled={2: 4})

    assert found.bucket_epochs == 1
    assert [p.gross_micros for p in found.points] == [5, 7, None]
    assert [(p.start_s, p.end_s) for p in found.points] == [
        (1_000, 1_100),
        (1_100, 1_200),
        (1_200, 1_300),
    ]
    assert [p.accrued_micros for p in found.points] == [3, 0, 0]
    assert [p.settled_micros for p in found.points] == [0, 0, 4]
    assert [p.promised_gpu_seconds for p in found.points] == [99, 99, 99]
    assert build_series(_WINDOW, statements={}, accrued={}, settled={}).points == ()


@pytest.mark.parametrize("epochs", [399, 400, 401, 720, 1_999])
def test_series__of_many_epochs__keeps_every_sum_in_at_most_400_points(epochs: int) -> None:
    statements = {e: EpochStatementFigures(e, 1, 2) for e in range(epochs)}

    found = build_series(_WINDOW, statements=statements, accrued={epochs - 1: 9}, settled={0: 8})

    points = found.points
    assert len(points) <= 400
    assert sum(p.gross_micros or 0 for p in points) == epochs * (epochs - 1) // 2
    assert sum(p.accrued_micros for p in points) == 9
    assert sum(p.settled_micros for p in points) == 8
    assert sum(p.promised_gpu_seconds for p in points) == 99 * epochs
    assert points[-1].last_epoch == epochs - 1
    assert all(a.last_epoch + 1 == b.first_epoch for a, b in pairwise(points))


def test_epoch_of__outside_the_window__is_the_nearest() -> None:
    assert [epoch_of(t, _WINDOW) for t in (0, 1_000, 1_099, 1_100, 10**9)] == [0, 0, 0, 1, 1_999]
