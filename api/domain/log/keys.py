"""Keys of a facility's log: who may sign its entries, by the entries themselves.

The operator's address names its ledger key on-chain; that key brings itself into a log, and names
the keys of collectors there. A key counts from its entry to the entry that ends it. The log's own
key, which signs receipts, stands in `facility.json`; it names its successor once, in an entry. Of a
key that is lost, the operator's ledger key names it.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from api.domain.json_text import as_object, as_text, canonical_line, read_json
from api.domain.log.entry import EntryKind
from api.domain.log.requests import key_from, key_text
from api.domain.units import ZERO32, Bytes32
from api.errors import InvalidInput, KeyForbidden, KeyUnknown

MAX_NAME_CHARS = 100
# What a character is, no later version of Unicode changes.
_NAME = re.compile(rf"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{{1,{MAX_NAME_CHARS}}}")
# Entries about keys are published whole.
MAX_KEY_BODY_BYTES = 1_024


class KeyRole(StrEnum):
    """What a key of a log is for."""

    LEDGER = "ledger"  # the operator's: everything
    COLLECTOR = "collector"  # of machines: metering, and corrections of it
    LOG = "log"  # the log's own: receipts, and the entry that names its successor


@dataclass(frozen=True, slots=True)
class KeyBody:
    """What an entry about a key says. Of a `key-end`, name and role are empty."""

    key: Bytes32
    name: str = ""
    role: KeyRole | None = None


def key_body(key: Bytes32, *, name: str, role: KeyRole) -> bytes:
    """Body of a `key` entry."""
    return canonical_line({"key": key_text(key), "name": name, "role": role.value})


def key_end_body(key: Bytes32) -> bytes:
    """Body of a `key-end` entry."""
    return canonical_line({"key": key_text(key)})


def successor_body(key: Bytes32) -> bytes:
    """Body of a `successor` entry."""
    return canonical_line({"key": key_text(key)})


def read_key_body(body: bytes, kind: EntryKind) -> KeyBody:
    """Read what an entry about a key says. Raises InvalidInput naming the field."""
    field = "body"
    if len(body) > MAX_KEY_BODY_BYTES:
        message = f"what is said of a key has at most {MAX_KEY_BODY_BYTES} bytes, not {len(body)}"
        raise InvalidInput(message, field=field)
    wanted = {"key", "name", "role"} if kind is EntryKind.KEY else {"key"}
    try:
        doc = as_object(read_json(body, object_pairs_hook=_once))
        if doc.keys() != wanted:
            raise InvalidInput(f"it has the fields {', '.join(sorted(wanted))}", field=field)
        field = "key"
        key = key_from(as_text(doc["key"]))
        if kind is EntryKind.KEY_END:
            return KeyBody(key)
        if kind is EntryKind.SUCCESSOR:
            return KeyBody(key, role=KeyRole.LOG)
        field = "name"
        name = as_text(doc["name"])
        if _NAME.fullmatch(name) is None:
            raise ValueError(f"a name has 1 to {MAX_NAME_CHARS} characters, no controls")
        field = "role"
        role = KeyRole(as_text(doc["role"]))
        if role is KeyRole.LOG:
            raise ValueError("the log's own key is named by a successor entry")
        return KeyBody(key, name, role)
    except (ValueError, TypeError) as error:
        raise InvalidInput(f"the {field} of a key cannot be read: {error}", field=field) from error


def _once(members: list[tuple[str, object]]) -> dict[str, object]:
    """An object whose members have names of their own: readers differ on which of two counts."""
    found = dict(members)
    if len(found) != len(members):
        raise ValueError("it names a field twice")
    return found


@dataclass(slots=True)
class LogKey:
    """A key of a log.

    entry, ended: numbers of the entries that brought and ended it; ended is None while it counts;
        entry is 0 of the log's own key that stands in `facility.json`.
    last_entry, last: number and hash of its newest entry; of the one that brought it before.
    before: what its newest entry named as `after`; 32 zero bytes before the first.
    """

    key: Bytes32
    role: KeyRole
    name: str
    entry: int
    last_entry: int
    last: Bytes32
    before: Bytes32 = ZERO32
    ended: int | None = None


class LogKeys:
    """The keys of one log, as its entries so far have them."""

    def __init__(self, keys: Iterable[LogKey] = (), *, log_key: Bytes32 = ZERO32) -> None:
        """Args: log_key: the log's own, of `facility.json`; 32 zero bytes of a log without any."""
        self._keys: dict[Bytes32, LogKey] = {}
        if log_key != ZERO32:
            self._keys[log_key] = LogKey(log_key, KeyRole.LOG, "", 0, 0, ZERO32)
        self._keys |= {key.key: key for key in keys}

    def __iter__(self) -> Iterator[LogKey]:
        return iter(self._keys.values())

    def get(self, key: Bytes32) -> LogKey | None:
        """A key that the log knows, whether it counts or not."""
        return self._keys.get(key)

    @property
    def ledger(self) -> LogKey | None:
        """The operator's own key, if one was brought and not ended."""
        return self._present(KeyRole.LEDGER)

    @property
    def log(self) -> LogKey | None:
        """The log's own key as it is now; None of a log without any."""
        return self._present(KeyRole.LOG)

    def _present(self, role: KeyRole) -> LogKey | None:
        found = [key for key in self if key.role is role and key.ended is None]
        return found[0] if found else None

    def require_author(
        self, author: Bytes32, kind: EntryKind, said: KeyBody | None
    ) -> LogKey | None:
        """Who signs an entry of a kind: a key that counts and may; None for the operator's own key
        that brings itself, also where another had named it for a collector's: the chain decides.

        Args:    said: what an entry about a key says.
        Raises:  KeyUnknown, KeyForbidden.
        """
        known = self._keys.get(author)
        brings_itself = said is not None and said.key == author and said.role is KeyRole.LEDGER
        new = known is None or known.role is KeyRole.COLLECTOR
        if kind is EntryKind.KEY and brings_itself and new:
            return None
        if known is None:
            raise KeyUnknown(f"key {key_text(author)} is none of this log's")
        if known.ended is not None:
            raise KeyUnknown(f"key {key_text(author)} was ended by entry {known.ended}")
        if known.role is KeyRole.LOG and kind is not EntryKind.SUCCESSOR:
            raise KeyForbidden("the log's own key signs receipts and names its successor, no more")
        if said is not None:
            self._require_about(known, kind, said)
        return known

    def _require_about(self, author: LogKey, kind: EntryKind, said: KeyBody) -> None:
        """Refuse what a key says of keys. Raises KeyForbidden."""
        about = self._keys.get(said.key)
        if kind is EntryKind.SUCCESSOR:
            self._require_successor(author, about, said)
            return
        if kind is EntryKind.KEY_END:
            if author.role is not KeyRole.LEDGER and said.key != author.key:
                raise KeyForbidden("a collector's key ends itself alone")
            if about is None or about.ended is not None:
                raise KeyForbidden(f"key {key_text(said.key)} is none that counts")
            if about.role is KeyRole.LOG:
                raise KeyForbidden("the log's own key ends when its successor is named")
            return
        if author.role is not KeyRole.LEDGER:
            raise KeyForbidden("only the operator's ledger key names other keys")
        if said.role is not KeyRole.COLLECTOR:
            raise KeyForbidden("a ledger key is named on-chain, and brings itself into the log")
        if about is not None:
            raise KeyForbidden(f"key {key_text(said.key)} was one of this log's before")

    def _require_successor(self, author: LogKey, about: LogKey | None, said: KeyBody) -> None:
        """Refuse a successor of the log's own key. Raises KeyForbidden."""
        if author.role is KeyRole.COLLECTOR:
            raise KeyForbidden("only the log's own key names its successor, or the ledger key")
        if self.log is None:
            raise KeyForbidden("the log has no key of its own: it gives no receipts")
        if about is not None:
            # Itself too: a log whose key names itself would have two ends of one key.
            raise KeyForbidden(f"key {key_text(said.key)} was one of this log's before")

    def take(
        self,
        author: Bytes32,
        kind: EntryKind,
        said: KeyBody | None,
        *,
        number: int,
        hashed: Bytes32,
        after: Bytes32,
    ) -> list[LogKey]:
        """Note an entry whose author was judged. Returns the keys that changed.

        Args:    number, hashed: of the entry.  after: what its author named.
        """
        changed: dict[Bytes32, LogKey] = {}
        signer = self._keys.get(author)
        if signer is not None:
            signer.last_entry, signer.last, signer.before = number, hashed, after
            changed[author] = signer
        if said is not None and kind is not EntryKind.KEY_END:
            assert said.role is not None  # of every entry that names a key
            # Of a log there is one ledger key at a time, and one that signs receipts.
            before = None if said.role is KeyRole.COLLECTOR else self._present(said.role)
            if before is not None:
                before.ended = number
                changed[before.key] = before
            new = LogKey(said.key, said.role, said.name, number, number, hashed)
            self._keys[said.key] = changed[said.key] = new
        elif said is not None:
            ended = self._keys[said.key]
            ended.ended = number
            changed[said.key] = ended
        return list(changed.values())
