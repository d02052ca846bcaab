"""What clocks say, and until when a cut-off is past: by all of them, or not at all."""

from dataclasses import dataclass

from api.domain.metering.instants import format_instant
from api.errors import ClocksDiffer

# Clocks of a machine with NTP and of a chain that runs differ by seconds to a minute.
CLOCKS_APART_S = 600


@dataclass(frozen=True, slots=True)
class Clocks:
    """UTC seconds of this machine, of the newest block, and of the newest final one.

    wall_s: None where the chain's time is simulated: then there is nothing to compare it with.
    """

    wall_s: int | None
    head_s: int
    final_s: int

    @property
    def now_s(self) -> int:
        """The present, for what is noted down."""
        return self.head_s if self.wall_s is None else self.wall_s

    @property
    def past_s(self) -> int:
        """The last second that is past by every clock, and that no reorg takes back."""
        chain_s = min(self.head_s, self.final_s)
        return chain_s if self.wall_s is None else min(chain_s, self.wall_s)

    def require_agreement(self, *, apart_s: int) -> None:
        """Refuse to go by clocks of which one must be wrong. Raises ClocksDiffer."""
        if self.wall_s is None or abs(self.wall_s - self.head_s) <= apart_s:
            return
        ahead = "ahead of" if self.wall_s > self.head_s else "behind"
        message = (
            f"this machine's clock says {format_instant(self.wall_s)}, the newest block"
            f" {format_instant(self.head_s)}: it is {abs(self.wall_s - self.head_s)} s {ahead} the"
            f" chain, and more than {apart_s} s is too much. No epoch is over until they agree:"
            " check this machine's time (NTP) and the node"
        )
        raise ClocksDiffer(message, wall_s=self.wall_s, head_s=self.head_s)


def epochs_at_once(due: int, *, most: int, ask_above: int, witnessed: bool) -> int:
    """How many of a facility's due epochs are closed in one round; 0 where a person is asked first.

    A backlog after a downtime is closed piece by piece. One that no clock but the chain's explains
    may be a lie of one node, and what is closed takes no records any more.

    Args:    due: epochs whose cut-off is past.  most: of a round.
             ask_above: more than so many are not closed without a witness.
             witnessed: this machine's own time went on as far as the chain's.
    """
    return 0 if due > ask_above and not witnessed else min(due, most)
