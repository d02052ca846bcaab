"""Reference model of `TrancheToken`: how revenue streams to units, exact in 24 fractional bits.

For every tranche and at any time, in X24: sum of what positions accrued + pending + paid out
equals what was received. Nothing is ever rounded away; a claim pays whole minor units and
leaves the fraction owed. Freezes and forced transfers are here for the contracts' tests alone.
"""

from dataclasses import dataclass, field, replace

FRACTION_BITS = 24
# `Accumulator.MAX_ACC`: 72 bits, 2^48 minor units a unit. What is beyond is not taken in.
MAX_ACC_X24 = 2**72 - 1
# `Accumulator.MAX_PENDING`: 2^64 minor units that stream at one time.
MAX_PENDING_X24 = 2**88 - 1
# `Accumulator.MAX_TIME`: the last second that a stream can name, in 2106.
MAX_TIME_S = 2**32 - 1


@dataclass(frozen=True, slots=True)
class Stream:
    """`ITrancheToken.Tranche`: accumulator per unit, and what still vests until `end_s`.

    `end_s` is 0 until the facility is funded, and never after: units move from then on.
    """

    acc_x24: int = 0
    pending_x24: int = 0
    end_s: int = 0
    span_s: int = 0
    supply: int = 0

    @property
    def activated(self) -> bool:
        """Whether the facility was funded, so that units move."""
        return self.end_s > 0

    def activate(self, now_s: int) -> "Stream":
        """Let units move from now on."""
        return replace(self, end_s=min(now_s, MAX_TIME_S))

    def vested_x24(self, now_s: int) -> int:
        """Part of `pending_x24` that vested by now, rounded down; nothing without units."""
        if self.supply == 0 or self.pending_x24 == 0:
            return 0
        if now_s >= self.end_s:
            return self.pending_x24
        elapsed_s = now_s - (self.end_s - self.span_s)
        return self.pending_x24 * elapsed_s // self.span_s

    def acc_at_x24(self, now_s: int) -> int:
        """Revenue per unit up to now, rounded down; the remainder stays pending."""
        if not self.supply:
            return self.acc_x24
        return self.acc_x24 + self.vested_x24(now_s) // self.supply

    def checkpoint(self, now_s: int) -> "Stream":
        """Move what vested into the accumulator; what does not divide stays pending."""
        gained_x24 = self.acc_at_x24(now_s) - self.acc_x24
        return replace(
            self,
            acc_x24=self.acc_x24 + gained_x24,
            pending_x24=self.pending_x24 - gained_x24 * self.supply,
            span_s=max(0, self.end_s - now_s),
        )

    def room(self, now_s: int) -> int:
        """Whole minor units that the stream can still take.

        Nothing before funding, nothing without units, and never more than units can earn.
        """
        if not self.activated:
            return 0
        base = self.checkpoint(now_s)
        most_x24 = min((MAX_ACC_X24 - base.acc_x24) * self.supply, MAX_PENDING_X24)
        return (most_x24 - base.pending_x24) >> FRACTION_BITS

    def accrue(self, amount: int, span_s: int, now_s: int) -> "Stream":
        """Add revenue that vests over `span_s`, blended with what still streams.

        The new span is the average of both, weighted by amount: dust cannot move the end.
        Args:    amount: minor units, at most `room`.
        """
        if not amount:
            return self
        base = self.checkpoint(now_s)
        amount_x24 = amount << FRACTION_BITS
        pending_x24 = base.pending_x24 + amount_x24
        blended_s = (base.pending_x24 * base.span_s + amount_x24 * span_s) // pending_x24
        end_s = min(now_s + blended_s, MAX_TIME_S)
        return replace(base, pending_x24=pending_x24, span_s=max(0, end_s - now_s), end_s=end_s)

    def with_supply(self, supply: int, now_s: int) -> "Stream":
        """Mint or burn to `supply` units; what these can never earn streams no longer."""
        base = self.checkpoint(now_s)
        room_x24 = (MAX_ACC_X24 - base.acc_x24) * supply
        return replace(base, supply=supply, pending_x24=min(base.pending_x24, room_x24))

    def spare_x24(self, supply: int, *, now_s: int) -> int:
        """What `supply` units can never earn of the stream: it belongs to whoever burned units.

        All of it where no units remain, and what is beyond the accumulator's bound.
        """
        kept_x24 = self.with_supply(supply, now_s).pending_x24
        return self.checkpoint(now_s).pending_x24 - kept_x24


@dataclass(frozen=True, slots=True)
class Position:
    """`ITrancheToken.Position`: units, the accumulator they are settled to, and what is owed."""

    acc_paid_x24: int = 0
    owed_x24: int = 0
    units: int = 0

    def settled(self, acc_x24: int) -> "Position":
        """Position settled up to an accumulator value."""
        earned_x24 = self.units * (acc_x24 - self.acc_paid_x24)
        return Position(acc_x24, self.owed_x24 + earned_x24, self.units)


@dataclass
class TrancheModel:
    """One tranche with its positions by holder. Times never go back."""

    stream: Stream = field(default_factory=Stream)
    positions: dict[str, Position] = field(default_factory=dict)
    # Absolute, may exceed the units held (ERC-7943).
    frozen: dict[str, int] = field(default_factory=dict)
    received: int = 0
    paid: int = 0
    minted: int = 0
    burned: int = 0

    def position(self, holder: str, now_s: int) -> Position:
        """Position of a holder settled to now."""
        position = self.positions.get(holder, Position())
        return position.settled(self.stream.acc_at_x24(now_s))

    def claimable(self, holder: str, now_s: int) -> int:
        """Whole minor units that a claim would pay now."""
        return self.position(holder, now_s).owed_x24 >> FRACTION_BITS

    def unfrozen(self, holder: str, now_s: int) -> int:
        """Units that a holder may move."""
        return max(0, self.position(holder, now_s).units - self.frozen.get(holder, 0))

    def activate(self, now_s: int) -> None:
        """The facility is funded: units move from now on."""
        self.stream = self.stream.activate(now_s)

    def mint(self, holder: str, units: int, now_s: int) -> None:
        """Add units to a holder and to the supply."""
        self.minted += units
        self.stream = self.stream.with_supply(self.stream.supply + units, now_s)
        # Settled before the units count: a remainder of an empty tranche is for the new units too.
        position = self.positions.get(holder, Position()).settled(self.stream.acc_x24)
        self.positions[holder] = replace(position, units=position.units + units)

    def burn(self, holder: str, units: int, now_s: int) -> None:
        """Take units from a holder and from the supply; what they earned stays owed."""
        self._check_units(holder, units, now_s)
        remaining = self.stream.supply - units
        spare_x24 = self.stream.spare_x24(remaining, now_s=now_s)
        self.stream = self.stream.with_supply(remaining, now_s)
        # Settled by hand: the units left the stream already, but not yet the holder.
        position = self.positions.get(holder, Position()).settled(self.stream.acc_x24)
        owed_x24 = position.owed_x24 + spare_x24
        self.positions[holder] = replace(position, owed_x24=owed_x24, units=position.units - units)
        self.burned += units

    def transfer(self, sender: str, receiver: str, units: int, now_s: int) -> None:
        """Move units; both sides keep what they earned. The stream itself does not change."""
        self._check_units(sender, units, now_s)
        self._move(sender, receiver, units, now_s)

    def forced_transfer(self, sender: str, receiver: str, units: int, now_s: int) -> None:
        """Move units past a freeze; frozen units that are taken are frozen no longer."""
        if sender == receiver:
            raise ValueError("a forced transfer to oneself would only unfreeze")
        held = self.position(sender, now_s).units
        if held < units:
            raise ValueError(f"{sender} holds {held} units, not {units}")
        excess = max(0, units - self.unfrozen(sender, now_s))
        if excess:
            self.frozen[sender] -= excess
        self._move(sender, receiver, units, now_s)

    def freeze(self, holder: str, units: int) -> None:
        """Set, not add, the frozen units of a holder."""
        self.frozen[holder] = units

    def _check_units(self, holder: str, units: int, now_s: int) -> None:
        held = self.position(holder, now_s).units
        if held < units:
            raise ValueError(f"{holder} holds {held} units, not {units}")
        if self.unfrozen(holder, now_s) < units:
            raise ValueError(f"{holder} has {self.frozen[holder]} units frozen")

    def _move(self, sender: str, receiver: str, units: int, now_s: int) -> None:
        if not self.stream.activated:
            raise ValueError(f"units of {sender} do not move before funding")
        source = self.position(sender, now_s)
        self.positions[sender] = replace(source, units=source.units - units)
        target = self.position(receiver, now_s)
        self.positions[receiver] = replace(target, units=target.units + units)

    def accrue(self, amount: int, span_s: int, now_s: int) -> int:
        """Receive revenue that streams over `span_s` seconds.

        Returns: minor units that the tranche could not take; they flow on.
        """
        taken = min(amount, self.stream.room(now_s))
        self.stream = self.stream.accrue(taken, span_s, now_s)
        self.received += taken
        return amount - taken

    def claim(self, holder: str, now_s: int) -> int:
        """Take what is vested, in whole minor units; the fraction stays owed."""
        position = self.position(holder, now_s)
        amount = position.owed_x24 >> FRACTION_BITS
        if amount == 0:
            # The contract then leaves the position as it is: an account without one gets none.
            return 0
        kept_x24 = position.owed_x24 - (amount << FRACTION_BITS)
        self.positions[holder] = replace(position, owed_x24=kept_x24)
        self.paid += amount
        return amount

    def unaccounted_x24(self, now_s: int) -> int:
        """Received less paid, owed and pending, in X24: zero at any time."""
        owed_x24 = sum(self.position(h, now_s).owed_x24 for h in self.positions)
        gained_x24 = self.stream.acc_at_x24(now_s) - self.stream.acc_x24
        pending_x24 = self.stream.pending_x24 - gained_x24 * self.stream.supply
        books_x24 = (self.received - self.paid) << FRACTION_BITS
        return books_x24 - owed_x24 - pending_x24
