"""One facility's money and units as `api.domain` computes them, without any chain."""

from copy import deepcopy

from api.domain.capital.accumulator import TrancheModel
from api.domain.capital.bond import Bond, pay_shortfall, seizable, shortfall_due
from api.domain.capital.sale import promised_gpu_seconds
from api.domain.capital.settlement import (
    Settlement,
    TrancheBook,
    TrancheSupply,
    distribute,
    settle,
    settleable,
)
from api.domain.capital.vouchers import Voucher, gpu_seconds_of_units, open_of
from api.domain.facility import FacilityTerms
from api.domain.units import GpuSeconds, Micros

RECEIVABLE_LIFE_S = 90 * 86_400


class FacilityModel:
    """Books, bond and tranches of a funded facility. Times never go back."""

    def __init__(self, terms: FacilityTerms, bond: Bond, challenge_window_s: int) -> None:
        self.terms, self.bond, self.challenge_window_s = terms, bond, challenge_window_s
        self.tranches = [TrancheModel() for _ in terms.tranches]
        self.books = [TrancheBook() for _ in terms.tranches]
        # By posted epoch.
        self.gross: list[int] = []
        self.available: list[int] = []
        self.posted_s: list[int] = []
        self.collected = self.settled = self.settled_epochs = self.fees = self.residual = 0
        self.vouchers: list[Voucher] = []
        self.state = "running"

    def voucher_seconds(self, seniority: int, units: int, now_s: int) -> int:
        """What units would give as compute; 0 for nothing, or after the window."""
        if now_s >= self.terms.window_end_s:
            return 0
        rate = Micros(self.bond.rate_per_gpu_hour)
        burned = {"seniority": seniority, "units": units}
        given = {"rate_micros_per_gpu_hour": rate, "now_s": now_s}
        return gpu_seconds_of_units(self.terms, **burned, **given)

    def issue(self, units: int, gpu_seconds: int, now_s: int) -> None:
        """A voucher for burned units."""
        self.vouchers.append(Voucher(units, GpuSeconds(gpu_seconds), now_s))

    def post(self, gross: int, available: int, now_s: int) -> None:
        """Append the statement of the next epoch."""
        self.gross.append(gross)
        self.available.append(available)
        self.posted_s.append(now_s)

    def epochs_final(self, now_s: int) -> int:
        """Number of leading epochs that nobody can challenge any more."""
        return sum(now_s >= posted_s + self.challenge_window_s for posted_s in self.posted_s)

    def attested(self, now_s: int) -> int:
        """Gross revenue of all final epochs."""
        return sum(self.gross[: self.epochs_final(now_s)])

    def settleable(self, now_s: int) -> int:
        """What a settlement of all final epochs would pay."""
        attested = self.attested(now_s)
        return settleable(attested=attested, collected=self.collected, settled=self.settled)

    def settle(self, now_s: int) -> bool:
        """Settle all final epochs; whether anything changed."""
        amount, final = self.settleable(now_s), self.epochs_final(now_s)
        if not amount and final == self.settled_epochs:
            return False
        split = settle(
            amount,
            fee_bps=self.terms.fee_bps,
            settled=self.settled,
            tranches=self._supplies(),
            books=self.books,
            from_epochs=self.settled_epochs,
            to_epochs=final,
            epoch_count=self._epoch_count(),
        )
        self.settled, self.settled_epochs = self.settled + amount, final
        self._pay_out(split, now_s)
        return True

    def arrears(self) -> list[int]:
        """What the units that are left are behind."""
        pairs = zip(self.books, self.tranches, strict=True)
        return [book.arrears_of(tranche.stream.supply) for book, tranche in pairs]

    def shortfall_due(self, now_s: int) -> int:
        """What missing availability still costs, whatever the bond holds."""
        return shortfall_due(self.bond, **self._promise(now_s))

    def pay_shortfall(self, now_s: int) -> int:
        """Pay it to holders as far as the bond goes."""
        self.bond, amount = pay_shortfall(self.bond, **self._promise(now_s), now_s=now_s)
        if amount:
            self._distribute(amount, now_s)
        return amount

    def seize(self, now_s: int) -> int:
        """After default: holders get the bond but for vouchers."""
        amount = seizable(self.bond, unserved_gpu_seconds=open_of(self.vouchers).gpu_seconds)
        self.bond = self.bond.with_held(self.bond.held - amount, now_s=now_s)
        if amount:
            self._distribute(amount, now_s)
        return amount

    def is_mature(self, now_s: int) -> bool:
        """All epochs are settled, and paid but for what renters owe after 90 days."""
        if self.settled_epochs < self._epoch_count():
            return False
        old = now_s >= self.terms.window_end_s + RECEIVABLE_LIFE_S
        return self.receivable() == 0 or (old and self.settled == self.collected)

    def receivable(self) -> int:
        """Attested and not settled."""
        return sum(self.gross) - self.settled

    def refund_excess(self) -> int:
        """Give back rent above all that is attested."""
        excess = max(0, self.collected - sum(self.gross))
        self.collected -= excess
        return excess

    def overdue_s(self, patience: int) -> int:
        """When the next statement is `patience` epochs late."""
        epochs = len(self.gross) + 1 + patience
        return self.terms.window_start_s + epochs * self.terms.epoch_length_s

    def is_in_default(self, now_s: int, *, grace_s: int, patience: int) -> bool:
        """A statement is overdue, or the bond was too small for too long."""
        if len(self.gross) < self._epoch_count() and now_s >= self.overdue_s(patience):
            return True
        since_s = self.bond.below_since_s
        return since_s is not None and now_s > since_s + grace_s

    def end(self, state: str) -> None:
        """Mature or default: what streams streams on."""
        self.state = state

    def attempt(self, index: int, action: str, *moves: tuple) -> bool:
        """Do all moves of one tranche or none; whether the model lets them."""
        tranche = deepcopy(self.tranches[index])
        try:
            for arguments in moves:
                getattr(tranche, action)(*arguments)
        except ValueError:
            return False
        self.tranches[index] = tranche
        return True

    def _epoch_count(self) -> int:
        length_s = self.terms.window_end_s - self.terms.window_start_s
        return length_s // self.terms.epoch_length_s

    def _supplies(self) -> list[TrancheSupply]:
        pairs = zip(self.terms.tranches, self.tranches, strict=True)
        return [TrancheSupply(t.coupon_micros_per_unit, m.stream.supply) for t, m in pairs]

    def _promise(self, now_s: int) -> dict[str, int]:
        final = self.epochs_final(now_s)
        promised = promised_gpu_seconds(
            device_count=self.terms.device_count,
            epoch_length_s=self.terms.epoch_length_s,
            epochs=final,
            promised_availability_ppm=self.terms.promised_availability_ppm,
        )
        return {"promised": promised, "available": sum(self.available[:final])}

    def _distribute(self, amount: int, now_s: int) -> None:
        if self.epochs_final(now_s) > self.settled_epochs:
            self.settle(now_s)
        split = distribute(amount, tranches=self._supplies(), books=self.books)
        self._pay_out(split, now_s)

    def _pay_out(self, split: Settlement, now_s: int) -> None:
        self.books = list(split.books)
        self.fees, self.residual = self.fees + split.fee, self.residual + split.to_gpu_operator
        for tranche, payment in zip(self.tranches, split.payments, strict=True):
            self.residual += tranche.accrue(payment, self.terms.epoch_length_s, now_s)
