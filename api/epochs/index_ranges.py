"""How many blocks a query of logs may cover: found by what nodes refuse, and remembered."""

# Queries in a row that are taken, after which a wider one is tried; and after such a one was taken.
_PROBE_AFTER = 200
_PROBE_AGAIN_AFTER = 10


class Ranges:
    """Between what was taken and what was refused it searches by halves; then it stays there."""

    def __init__(self, known: int, *, most: int) -> None:
        self._most = most
        # The widest that is known to be taken, and the narrowest that was refused.
        self._taken = min(max(1, known), most)
        self._refused = most + 1 if known >= most else self._taken + 1
        self._in_a_row = 0
        self._patience = _PROBE_AFTER

    @property
    def known(self) -> int:
        """What to remember."""
        return self._taken

    def next(self) -> int:
        """Blocks for the next query."""
        if self._in_a_row >= self._patience and self._taken < self._most:
            # What was refused may have been many logs, and no cap: then all widths are taken now.
            self._in_a_row, self._patience = 0, _PROBE_AGAIN_AFTER
            self._refused = min(self._most, self._taken * 2) + 1
        return (self._taken + self._refused) // 2

    def took(self, blocks: int) -> None:
        """A query over so many blocks was answered."""
        self._in_a_row += 1
        self._taken = max(self._taken, min(blocks, self._most))
        self._refused = max(self._refused, self._taken + 1)

    def refuse(self, blocks: int) -> None:
        """A query over so many blocks was refused."""
        self._in_a_row, self._patience = 0, _PROBE_AFTER
        self._refused = max(2, min(self._refused, blocks))
        self._taken = min(self._taken, max(1, blocks // 2))
