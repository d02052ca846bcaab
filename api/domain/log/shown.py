"""Authors of a log as anybody can judge them: by its entries, and whole those about keys.

That a batch was signed by the author whom its entry names, attesters have checked: they have its
body. Anybody can see whether that author was one whom the operator's address stands for.
"""

from collections.abc import Iterator, Mapping, Sequence

from api.domain.log.authors import (
    NamedKey,
    require_after,
    require_author,
    require_clock,
    require_named,
    role_of,
)
from api.domain.log.entry import UNSIGNED, Entry, entry_hash
from api.domain.log.keys import KeyRole, LogKeys
from api.domain.log.logged import LoggedEntry
from api.domain.log.signers import LogSigners, signers_of
from api.domain.units import ZERO32, Bytes32
from api.errors import AppError, KeyForbidden


class ShownAuthors:
    """Who signs a log, by what is published of it so far."""

    def __init__(self, *, unsigned_taken: bool, log_key: Bytes32 = ZERO32) -> None:
        self._keys, self._unsigned_taken = LogKeys(log_key=log_key), unsigned_taken

    @property
    def signers(self) -> LogSigners:
        """Keys that sign its receipts, as far as its entries are published."""
        return signers_of(self._keys)

    def take(
        self,
        entries: Sequence[Entry],
        about_keys: Mapping[int, LoggedEntry],
        named: Sequence[NamedKey],
    ) -> Iterator[tuple[Entry, AppError]]:
        """Judge more entries, in order.

        Args:    about_keys: those about keys, by number.
                 named: ledger keys that the operator named on-chain, in order.
        Returns: those that no log could have taken, and why.
        """
        for entry in entries:
            try:
                self._take(entry, about_keys.get(entry.number), named)
            except AppError as error:
                yield entry, error

    def _take(self, entry: Entry, logged: LoggedEntry | None, named: Sequence[NamedKey]) -> None:
        if entry.author == UNSIGNED:
            if not self._unsigned_taken:
                raise KeyForbidden("nobody signed it, and the facility's terms refuse that")
            return
        said, after = None, ZERO32
        if logged is None:
            author = self._keys.require_author(entry.author, entry.kind, None)
        else:
            assert logged.request is not None  # of an entry about a key
            request, after = logged.request, logged.request.after
            author, said = require_author(self._keys, request, entry.kind, logged.body)
            require_after(author, request)
            require_clock(request, recorded_at_s=entry.recorded_at_s)
        if role_of(author) is KeyRole.LEDGER:
            require_named(entry.author, named, recorded_at_s=entry.recorded_at_s)
        self._keys.take(
            entry.author,
            entry.kind,
            said,
            number=entry.number,
            hashed=entry_hash(entry),
            after=after,
        )
