"""The numbers of docs/DEAL.md, for the model's tests and for those of the contracts.

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

    bond_usd, operator_usd: dollars; proceeds and bond are in what the operator has.
    hours: GPU-hours of each stated epoch; an epoch that is not stated was not delivered.
    per_unit: what a senior and a junior unit are paid.
    idle: nobody rents.  paid_late: all rent comes after the closing.  never_paid: it never does.
    published: hashes of all epochs come in time.  hashes_late: just before the closing.
    burned: seniors burned for compute before the window.
    """

    name: str
    bond_usd: int
    hours: tuple[int, ...]
    per_unit: tuple[int, int]
    operator_usd: int
    bought: tuple[int, int] = CAPS
    promised_ppm: int = 1_000_000
    idle: bool = False
    paid_late: bool = False
    never_paid: bool = False
    published: bool = False
    hashes_late: bool = False
    burned: int = 0
    vouchers: int = 0

    @property
    def rents(self) -> list[int]:
        """What renters owe of each stated epoch."""
        return [0 if self.idle else hours * RATE for hours in self.hours]

    @property
    def bond(self) -> int:
        """The bond."""
        return self.bond_usd * DOLLAR

    @property
    def senior(self) -> int:
        """What all seniors that nobody burned are paid."""
        return (self.bought[0] - self.burned) * self.per_unit[0]

    @property
    def junior(self) -> int:
        """What all juniors are paid."""
        return self.bought[1] * self.per_unit[1]

    @property
    def gpu_operator(self) -> int:
        """What the operator has in all."""
        return self.operator_usd * DOLLAR

    @property
    def matured(self) -> bool:
        """Whether every epoch is stated."""
        return len(self.hours) == EPOCHS


# Performance pays 2.20 and 2.80 a unit.
_WHOLE, _SHORT = (COUPON, 2_800_000), (COUPON, 2_000_000)
_ALL, _HALF, _FEW = (10, 10, 10, 10), (10, 10), (10, 5)
ROWS = (
    Row("all delivered", 100, _ALL, _WHOLE, 160),
    Row("nothing delivered", 100, (), _WHOLE, 60),
    Row("hashes before the closing", 100, (), _WHOLE, 60, hashes_late=True),
    Row("hashes in time", 100, (), (1_600_000, 800_000), 112, published=True),
    Row("nobody rents", 100, _ALL, (0, 0), 160, idle=True),
    Row("default at half", 100, _HALF, _WHOLE, 110),
    Row("default at half, bond 10", 10, _HALF, _SHORT, 36),
    Row("half of every epoch", 100, (5, 5, 5, 5), _WHOLE, 110),
    Row("half of every epoch, bond 10", 10, (5, 5, 5, 5), _SHORT, 36),
    Row("half, paid after the closing", 30, (5, 5, 5, 5), _WHOLE, 40, paid_late=True),
    Row("half, never paid", 30, (5, 5, 5, 5), (COUPON, 500_000), 36, never_paid=True),
    Row("half promised", 100, _HALF, (COUPON, 1_550_000), 135, promised_ppm=500_000),
    Row("few sold, all delivered", 100, _ALL, _WHOLE, 189, bought=_FEW),
    Row("few sold, default at half", 100, _HALF, _WHOLE, 139, bought=_FEW),
    Row("few sold, default at half, bond 10", 10, _HALF, _WHOLE, 49, bought=_FEW),
    Row("five burned", 100, _HALF, _WHOLE, 110, burned=5, vouchers=11 * DOLLAR),
)
