"""Time series of a tranche in at most so many points, each a whole number of epochs."""

from collections.abc import Mapping
from dataclasses import dataclass

MAX_POINTS = 400


@dataclass(frozen=True, slots=True)
class EpochStatementFigures:
    """What the standing posted statement of one epoch says."""

    gross_micros: int
    billed_gpu_seconds: int
    available_gpu_seconds: int


@dataclass(frozen=True, slots=True)
class Window:
    """Epochs of a facility and what they promise: capacity times `promised_availability_ppm`."""

    start_s: int
    epoch_length_s: int
    epoch_count: int
    promised_per_epoch_x_ppm: int


@dataclass(frozen=True, slots=True)
class Point:
    """Sums over epochs `first_epoch` to `last_epoch`; None where no statement is posted yet."""

    first_epoch: int
    last_epoch: int
    start_s: int
    end_s: int
    gross_micros: int | None
    billed_gpu_seconds: int | None
    available_gpu_seconds: int | None
    promised_gpu_seconds: int
    accrued_micros: int
    settled_micros: int


@dataclass(frozen=True, slots=True)
class Series:
    """Points in order, each of `bucket_epochs` epochs; the last may be shorter."""

    bucket_epochs: int
    points: tuple[Point, ...]


def epoch_of(instant_s: int, window: Window) -> int:
    """Epoch of an instant; before the window the first, after it the last."""
    epoch = (instant_s - window.start_s) // window.epoch_length_s
    return min(max(0, epoch), window.epoch_count - 1)


def build_series(
    window: Window,
    *,
    statements: Mapping[int, EpochStatementFigures],
    accrued: Mapping[int, int],
    settled: Mapping[int, int],
    max_points: int = MAX_POINTS,
) -> Series:
    """Sum figures by epoch into points, from epoch 0 to the newest that has any figure.

    Every sum over all points is the sum over all epochs: nothing is averaged or left out.
    """
    known = [*statements, *accrued, *settled]
    epochs = max(known) + 1 if known else 0
    size = max(1, -(-epochs // max_points))
    points = []
    for first in range(0, epochs, size):
        inside = range(first, min(first + size, epochs))
        posted = [statements[e] for e in inside if e in statements]
        points.append(
            Point(
                first,
                inside[-1],
                window.start_s + first * window.epoch_length_s,
                window.start_s + (inside[-1] + 1) * window.epoch_length_s,
                sum(s.gross_micros for s in posted) if posted else None,
                sum(s.billed_gpu_seconds for s in posted) if posted else None,
                sum(s.available_gpu_seconds for s in posted) if posted else None,
                # On the cumulative, as the contract rounds: the sum of points never drifts.
                window.promised_per_epoch_x_ppm * (inside[-1] + 1) // 1_000_000
                - window.promised_per_epoch_x_ppm * first // 1_000_000,
                sum(accrued.get(e, 0) for e in inside),
                sum(settled.get(e, 0) for e in inside),
            )
        )
    return Series(size, tuple(points))
