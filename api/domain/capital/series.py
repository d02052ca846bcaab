"""Time series of a tranche in at most so many points, each a whole number of epochs."""

from collections.abc import Mapping
from dataclasses import dataclass

from api.domain.units import PPM, Epoch, GpuSeconds, Micros

MAX_POINTS = 400


@dataclass(frozen=True, slots=True)
class EpochStatementFigures:
    """What the standing statements of one epoch say: its own, and a closing one behind it."""

    gross_micros: Micros
    billed_gpu_seconds: GpuSeconds
    available_gpu_seconds: GpuSeconds


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

    first_epoch: Epoch
    last_epoch: Epoch
    start_s: int
    end_s: int
    gross_micros: Micros | None
    billed_gpu_seconds: GpuSeconds | None
    available_gpu_seconds: GpuSeconds | None
    promised_gpu_seconds: GpuSeconds
    accrued_micros: Micros
    settled_micros: Micros


@dataclass(frozen=True, slots=True)
class Series:
    """Points in order, each of `bucket_epochs` epochs; the last may be shorter."""

    bucket_epochs: int
    points: tuple[Point, ...]


def epoch_of(instant_s: int, window: Window) -> Epoch:
    """Epoch of an instant; before the window the first, after it the last."""
    epoch = (instant_s - window.start_s) // window.epoch_length_s
    return Epoch(min(max(0, epoch), window.epoch_count - 1))


def build_series(
    window: Window,
    *,
    statements: Mapping[Epoch, EpochStatementFigures],
    accrued: Mapping[Epoch, int],
    settled: Mapping[Epoch, int],
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
        inside = [Epoch(e) for e in range(first, min(first + size, epochs))]
        posted = [statements[e] for e in inside if e in statements]
        points.append(
            Point(
                first_epoch=Epoch(first),
                last_epoch=Epoch(inside[-1]),
                start_s=window.start_s + first * window.epoch_length_s,
                end_s=window.start_s + (inside[-1] + 1) * window.epoch_length_s,
                gross_micros=Micros(sum(s.gross_micros for s in posted)) if posted else None,
                billed_gpu_seconds=(
                    GpuSeconds(sum(s.billed_gpu_seconds for s in posted)) if posted else None
                ),
                available_gpu_seconds=(
                    GpuSeconds(sum(s.available_gpu_seconds for s in posted)) if posted else None
                ),
                # On the cumulative, as the contract rounds: the sum of points never drifts.
                promised_gpu_seconds=GpuSeconds(
                    window.promised_per_epoch_x_ppm * (inside[-1] + 1) // PPM
                    - window.promised_per_epoch_x_ppm * first // PPM
                ),
                accrued_micros=Micros(sum(accrued.get(e, 0) for e in inside)),
                settled_micros=Micros(sum(settled.get(e, 0) for e in inside)),
            )
        )
    return Series(size, tuple(points))
