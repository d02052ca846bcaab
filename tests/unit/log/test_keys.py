"""Keys of a log: who may sign what, by the entries before and what the operator named on-chain."""

import json
from dataclasses import replace

import pytest

from api.domain.log.authors import (
    CLOCK_S,
    HEARD_S,
    NamedKey,
    require_after,
    require_author,
    require_clock,
    require_named,
    role_of,
)
from api.domain.log.entry import EntryKind
from api.domain.log.keys import (
    MAX_KEY_BODY_BYTES,
    MAX_NAME_CHARS,
    KeyBody,
    KeyRole,
    LogKeys,
    key_body,
    key_end_body,
    read_key_body,
)
from api.domain.log.requests import key_text
from api.domain.units import ZERO32, Bytes32
from api.errors import AfterRefused, InvalidInput, KeyForbidden, KeyUnknown, SignatureRefused
from tests.signed_logs import SignedLog, Signer
from tests.unit.values import TERMS

LEDGER, SUCCESSOR = Signer("ledger"), Signer("successor")
RACK, OTHER = Signer("rack"), Signer("other")
KEY, END, BATCH = EntryKind.KEY, EntryKind.KEY_END, EntryKind.BATCH
COLLECTOR = KeyRole.COLLECTOR


def _hash(number: int) -> Bytes32:
    return Bytes32(number.to_bytes(32, "big"))


class _Log:
    """Keys after some entries; each is judged first."""

    def __init__(self) -> None:
        self.keys, self.number = LogKeys(), 0

    def take(self, author: Signer, kind: EntryKind, said: KeyBody | None = None) -> None:
        self.keys.require_author(author.public, kind, said)
        self.number += 1
        hashed = _hash(self.number)
        self.keys.take(
            author.public, kind, said, number=self.number, hashed=hashed, after=_hash(77)
        )


def _ledger(key: Signer) -> KeyBody:
    return KeyBody(key.public, key.name, KeyRole.LEDGER)


def _named(key: Signer) -> KeyBody:
    return KeyBody(key.public, key.name, COLLECTOR)


@pytest.fixture
def log() -> _Log:
    """A ledger key and one collector's."""
    log = _Log()
    log.take(LEDGER, KEY, _ledger(LEDGER))
    log.take(LEDGER, KEY, _named(RACK))
    return log


def test_key__brought__goes_on_behind_the_entry_that_brought_it(log: _Log) -> None:
    rack, ledger = log.keys.get(RACK.public), log.keys.get(LEDGER.public)
    assert rack is not None
    assert ledger is not None

    assert (rack.entry, rack.last_entry, rack.last, rack.before) == (2, 2, _hash(2), ZERO32)
    assert (ledger.entry, ledger.last_entry, ledger.last, ledger.before) == (
        *(1, 2, _hash(2), _hash(77)),
    )
    assert log.keys.ledger is ledger
    assert {key.name for key in log.keys} == {"ledger", "rack"}


def test_key__signing__moves_its_own_end_alone(log: _Log) -> None:
    log.take(RACK, BATCH)

    rack, ledger = log.keys.get(RACK.public), log.keys.get(LEDGER.public)
    assert rack is not None
    assert ledger is not None
    assert (rack.last_entry, rack.last, rack.before, rack.ended) == (3, _hash(3), _hash(77), None)
    assert ledger.last_entry == 2


def test_ledger_key__of_a_successor__ends_the_one_before_and_no_collectors(log: _Log) -> None:
    log.take(SUCCESSOR, KEY, _ledger(SUCCESSOR))

    assert [(key.name, key.ended) for key in log.keys] == [
        *(("ledger", 3), ("rack", None), ("successor", None)),
    ]
    log.take(SUCCESSOR, KEY, _named(OTHER))
    log.take(SUCCESSOR, END, KeyBody(RACK.public))
    log.take(OTHER, END, KeyBody(OTHER.public))
    with pytest.raises(KeyUnknown, match="was ended by entry 3"):
        log.take(LEDGER, BATCH)


@pytest.mark.parametrize("ended", [False, True])
def test_ledger_key__that_was_named_a_collectors__brings_itself_all_the_same(
    log: _Log, ended: bool
) -> None:
    """Else whoever holds the old key could burn the next: the chain decides."""
    if ended:
        log.take(LEDGER, END, KeyBody(RACK.public))

    log.take(RACK, KEY, _ledger(RACK))

    assert [(key.name, key.role.value, bool(key.ended)) for key in log.keys] == [
        *(("ledger", "ledger", True), ("rack", "ledger", False)),
    ]
    assert log.keys.ledger is log.keys.get(RACK.public)
    log.take(RACK, KEY, _named(OTHER))


FORBIDDEN: dict[str, tuple[Signer, EntryKind, KeyBody | None, str]] = {
    "unknown key signs": (OTHER, BATCH, None, "none of this log's"),
    "unknown key brings itself as a collector's": (OTHER, KEY, _named(OTHER), "none of this log"),
    "unknown key brings another as the ledger's": (OTHER, KEY, _ledger(RACK), "none of this log"),
    "unknown key ends itself": (OTHER, END, KeyBody(OTHER.public), "none of this log's"),
    "collector names a key": (RACK, KEY, _named(OTHER), "only the operator's ledger key"),
    "collector ends the ledger's": (RACK, END, KeyBody(LEDGER.public), "ends itself alone"),
    "ledger key names another ledger key": (LEDGER, KEY, _ledger(OTHER), "named on-chain"),
    "ledger key brings itself again": (LEDGER, KEY, _ledger(LEDGER), "named on-chain"),
    "ledger key names a key twice": (LEDGER, KEY, _named(RACK), "was one of this log's before"),
    "ledger key names itself a collector's": (LEDGER, KEY, _named(LEDGER), "was one of this log"),
    "ledger key ends what never was": (LEDGER, END, KeyBody(OTHER.public), "none that counts"),
}


@pytest.mark.parametrize("case", FORBIDDEN)
def test_require_author__what_a_key_may_not__is_refused(log: _Log, case: str) -> None:
    author, kind, said, message = FORBIDDEN[case]

    with pytest.raises((KeyUnknown, KeyForbidden), match=message):
        log.keys.require_author(author.public, kind, said)


def test_key__ended__never_returns(log: _Log) -> None:
    log.take(LEDGER, END, KeyBody(RACK.public))

    with pytest.raises(KeyUnknown, match="was ended by entry 3"):
        log.take(RACK, BATCH)
    with pytest.raises(KeyForbidden, match="was one of this log's before"):
        log.take(LEDGER, KEY, _named(RACK))
    with pytest.raises(KeyForbidden, match="none that counts"):
        log.take(LEDGER, END, KeyBody(RACK.public))


def test_ledger_key__that_ended_itself__leaves_none_and_does_not_return(log: _Log) -> None:
    log.take(LEDGER, END, KeyBody(LEDGER.public))

    assert log.keys.ledger is None
    with pytest.raises(KeyUnknown, match="was ended"):
        log.take(LEDGER, KEY, _ledger(LEDGER))
    log.take(SUCCESSOR, KEY, _ledger(SUCCESSOR))
    ended = log.keys.get(LEDGER.public)
    assert ended is not None
    assert ended.ended == 3


# --- bodies --------------------------------------------------------------------------------------


def test_bodies__round_trip__are_the_same() -> None:
    body = key_body(RACK.public, name="Regal 7", role=COLLECTOR)

    assert read_key_body(body, KEY) == KeyBody(RACK.public, "Regal 7", COLLECTOR)
    assert read_key_body(key_end_body(RACK.public), END) == KeyBody(RACK.public)
    longest = key_body(RACK.public, name="ä" * MAX_NAME_CHARS, role=COLLECTOR)
    assert read_key_body(longest, KEY).name == "ä" * MAX_NAME_CHARS


_GOOD = {"key": key_text(RACK.public), "name": "rack", "role": "collector"}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", "body"),
        (b"[]", "body"),
        (b"{}", "body"),
        (json.dumps({**_GOOD, "more": 1}).encode(), "body"),
        (json.dumps({"key": _GOOD["key"]}).encode(), "body"),
        (json.dumps(_GOOD).replace("{", '{"key": "A", ').encode(), "body"),
        (json.dumps({**_GOOD, "key": 7}).encode(), "key"),
        (json.dumps({**_GOOD, "key": "A" * 43}).encode(), "key"),
        (json.dumps({**_GOOD, "key": "rack"}).encode(), "key"),
        (json.dumps({**_GOOD, "name": ""}).encode(), "name"),
        (json.dumps({**_GOOD, "name": "a\nb"}).encode(), "name"),
        (json.dumps({**_GOOD, "name": "a" * (MAX_NAME_CHARS + 1)}).encode(), "name"),
        (json.dumps({**_GOOD, "name": None}).encode(), "name"),
        (json.dumps({**_GOOD, "role": "owner"}).encode(), "role"),
        (json.dumps({**_GOOD, "role": ["ledger"]}).encode(), "role"),
    ],
)
def test_read_key_body__anything_else__names_the_field(body: bytes, field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_key_body(body, KEY)

    assert refused.value.context["field"] == field


def test_read_key_body__longer_than_a_page_should_show__is_refused() -> None:
    """Entries about keys are published whole: spaces would be a way to publish anything."""
    body = key_body(RACK.public, name="rack", role=COLLECTOR)
    longest = body + b" " * (MAX_KEY_BODY_BYTES - len(body))

    assert read_key_body(longest, KEY).name == "rack"
    with pytest.raises(InvalidInput, match="has at most 1024 bytes, not 1025"):
        read_key_body(longest + b" ", KEY)


def test_read_key_body__of_an_end_with_a_name__is_refused() -> None:
    with pytest.raises(InvalidInput, match="it has the fields key"):
        read_key_body(json.dumps(_GOOD).encode(), END)


# --- authors -------------------------------------------------------------------------------------


def test_require_author__signed_for_another_path__is_refused(log: _Log) -> None:
    """What ends a key is no batch, whatever its body says; a proxy may put a prefix before."""
    signed = SignedLog(TERMS)
    for kind, path in ((BATCH, "/v1/log/keys"), (KEY, "/v1/events"), (END, "/v1/log/keys")):
        request = signed.request(LEDGER, kind, b"[]", path=path)
        with pytest.raises(SignatureRefused, match="for another path"):
            require_author(log.keys, request, kind, b"[]")
    request = signed.request(LEDGER, BATCH, b"[]", path="/gpu/v1/events")
    author, said = require_author(log.keys, request, BATCH, b"[]")
    assert (author, said) == (log.keys.get(LEDGER.public), None)


def test_require_author__about_a_key__reads_what_is_said() -> None:
    body = key_body(LEDGER.public, name="ledger", role=KeyRole.LEDGER)
    request = SignedLog(TERMS).request(LEDGER, KEY, body)

    author, said = require_author(LogKeys(), request, KEY, body)

    assert (author, said) == (None, KeyBody(LEDGER.public, "ledger", KeyRole.LEDGER))
    assert role_of(author) is KeyRole.LEDGER
    with pytest.raises(InvalidInput):
        require_author(LogKeys(), request, KEY, b"[]")


def test_require_after__anything_but_the_newest__is_refused_with_it(log: _Log) -> None:
    request = SignedLog(TERMS).request(RACK, BATCH, b"[]")
    rack = log.keys.get(RACK.public)
    assert rack is not None
    assert role_of(rack) is COLLECTOR

    require_after(rack, replace(request, after=_hash(2)))
    require_after(None, replace(request, after=ZERO32))
    for author, after in ((rack, _hash(1)), (rack, ZERO32), (None, _hash(2))):
        with pytest.raises(AfterRefused, match="name it as `after`"):
            require_after(author, replace(request, after=after))


def test_require_clock__two_minutes_ahead__is_the_most() -> None:
    request = SignedLog(TERMS).request(RACK, BATCH, b"[]", created_s=1_000 + CLOCK_S)

    require_clock(request, recorded_at_s=1_000)
    with pytest.raises(SignatureRefused, match="check the clock"):
        require_clock(request, recorded_at_s=999)


A, B = LEDGER.public, SUCCESSOR.public


@pytest.mark.parametrize(
    ("named", "at_s", "refused"),
    [
        ((), 0, KeyUnknown),
        (((B, 0),), 0, KeyUnknown),
        (((A, 1_000),), 1_000 - CLOCK_S - 1, KeyUnknown),
        (((A, 1_000),), 1_000 - CLOCK_S, None),
        (((A, 1_000), (B, 2_000)), 2_000 + HEARD_S - 1, None),
        (((A, 1_000), (B, 2_000)), 2_000 + HEARD_S, KeyForbidden),
        (((A, 1_000), (ZERO32, 2_000)), 2_000 + HEARD_S, KeyForbidden),
        # Named again: from then on it counts anew.
        (((A, 1_000), (B, 2_000), (A, 9_000)), 8_000, KeyForbidden),
        (((A, 1_000), (B, 2_000), (A, 9_000)), 9_000, None),
        (((A, 1_000), (B, 2_000), (A, 9_000)), 99_000, None),
        # What comes after the entry changes nothing of it.
        (((A, 1_000), (B, 500_000)), 499_000, None),
    ],
)
def test_require_named__by_what_the_operator_named__at_that_second(
    named: tuple[tuple[Bytes32, int], ...], at_s: int, refused: type[Exception] | None
) -> None:
    keys = [NamedKey(key, second) for key, second in named]

    if refused is None:
        require_named(A, keys, recorded_at_s=at_s)
    else:
        with pytest.raises(refused, match="on-chain"):
            require_named(A, keys, recorded_at_s=at_s)
