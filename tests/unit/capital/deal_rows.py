"""The rows of the table in docs/DEAL.md, for the model's tests and for those of the contracts.

Two tranches: 20 seniors (coupon 2.20, price 2) and 20 juniors (price 1); ten GPUs for four epochs
of an hour, at 2.50 an hour; 20 % up front, no fee. Money is micros.
"""

from dataclasses import dataclass

DOLLAR = 1_000_000
CAPS = (20, 20)
COUPON, UNIT_PRICES = 2_200_000, (2 * DOLLAR, DOLLAR)
RATE, UP_FRONT_BPS = 2_500_000, 2_000
EPOCHS, GPUS, EPOCH_S = 4, 10, 3_600


@dataclass(frozen=True)
class Row:
    """One ending, and what everybody has of it.

    hours: GPU-hours of each stated epoch; an epoch that is not stated was not delivered.
    paid_late: all rent comes after the closing.  hashes_late: the missing epochs are published
    just before the closing.  burned: seniors burned for compute before the window.
    senior, junior: all units of a tranche.  gpu_operator: proceeds and bond are in it.
    """

    name: str
    bond: int
    hours: tuple[int, ...]
    senior: int
    junior: int
    gpu_operator: int
    bought: tuple[int, int] = CAPS
    promised_ppm: int = 1_000_000
    paid_late: bool = False
    hashes_late: bool = False
    burned: int = 0
    vouchers: int = 0

    @property
    def matured(self) -> bool:
        """Whether every epoch is stated."""
        return len(self.hours) == EPOCHS


def _row(
    name: str, bond: int, hours: tuple[int, ...], per_unit: tuple[str, str], op: int, **more: object
) -> Row:
    bought = more.get("bought", CAPS)
    units = (bought[0] - more.get("burned", 0), bought[1])  # type: ignore[index,operator]
    cents = [int(text.replace(".", "")) for text in per_unit]
    senior, junior = (n * c * DOLLAR // 100 for n, c in zip(units, cents, strict=True))
    return Row(name, bond * DOLLAR, hours, senior, junior, op * DOLLAR, **more)  # type: ignore[arg-type]


_HALF = (10, 10)
_FEW = {"bought": (10, 5)}
ROWS = (
    _row("all delivered", 100, (10,) * 4, ("2.20", "2.80"), 160),
    _row("nothing delivered", 100, (), ("2.20", "2.80"), 60),
    _row("hashes before the closing", 100, (), ("2.20", "2.80"), 60, hashes_late=True),
    _row("default at half", 100, _HALF, ("2.20", "2.80"), 110),
    _row("default at half, bond 10", 10, _HALF, ("2.20", "2.00"), 36),
    _row("half of every epoch", 100, (5,) * 4, ("2.20", "2.80"), 110),
    _row("half of every epoch, bond 10", 10, (5,) * 4, ("2.20", "2.00"), 36),
    _row("half, paid after the closing", 30, (5,) * 4, ("2.20", "2.80"), 40, paid_late=True),
    _row("half promised", 100, _HALF, ("2.20", "1.55"), 135, promised_ppm=500_000),
    _row("few sold, all delivered", 100, (10,) * 4, ("2.20", "2.80"), 189, **_FEW),
    _row("few sold, default at half", 100, _HALF, ("2.20", "2.80"), 139, **_FEW),
    _row("few sold, default at half, bond 10", 10, _HALF, ("2.20", "2.80"), 49, **_FEW),
    _row("five burned", 100, _HALF, ("2.20", "2.80"), 110, burned=5, vouchers=11 * DOLLAR),
)
