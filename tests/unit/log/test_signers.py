"""The log's own key and its successors: which key signs receipts of which entry."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from api.domain.json_text import as_object, canonical_line, read_json
from api.domain.log.answers import ACCEPTED
from api.domain.log.authors import NamedKey, require_author
from api.domain.log.entry import EntryKind, LogName, entry_hash
from api.domain.log.keys import KeyRole, LogKeys, key_body, key_end_body, successor_body
from api.domain.log.logged import LoggedEntry, entry_document
from api.domain.log.receipts import signed_entry_of
from api.domain.log.requests import key_text
from api.domain.log.shown import ShownAuthors
from api.domain.log.signers import LogSigners, only, shown_successors, signers_of
from api.domain.statements.batches import decode_entries, encode_entries
from api.domain.units import ZERO32, Bytes32
from api.errors import (
    AfterRefused,
    AppError,
    EvidenceInvalid,
    InvalidInput,
    KeyForbidden,
    KeyUnknown,
    SignatureRefused,
)
from tests.signed_logs import SignedLog, Signer
from tests.unit.values import TERMS as PLAIN

FIRST, SECOND, THIRD = Signer("first"), Signer("second"), Signer("third")
LEDGER, RACK = Signer("ledger"), Signer("rack")
TERMS = replace(PLAIN, log_key=FIRST.public)
AT_S = TERMS.window_start_s
SUCCESSOR = EntryKind.SUCCESSOR
WEAK = Bytes32(b"\1" + bytes(31))


def _signer(key: Signer) -> Signer:
    """The key, as if it had signed nothing."""
    return Signer(key.name)


class _Log(SignedLog):
    """A log whose own key is FIRST, with a ledger key and a collector's."""

    def __init__(self) -> None:
        super().__init__(TERMS)
        self.ledger, self.rack, self.first = map(_signer, (LEDGER, RACK, FIRST))
        self.name(self.ledger, at_s=AT_S)
        self.bring_itself(self.ledger, at_s=AT_S)
        self.bring(self.ledger, self.rack, at_s=AT_S)

    def follow(self, author: Signer, new: Bytes32, **changes: Any) -> LoggedEntry:
        """A key names another one for the log."""
        return self.add(author, SUCCESSOR, successor_body(new), at_s=AT_S, **changes)

    def judged(self) -> ShownAuthors:
        """Its authors as everybody judges them. Raises what is wrong."""
        authors = ShownAuthors(unsigned_taken=True, log_key=FIRST.public)
        data = encode_entries(
            [logged.entry for logged in self.entries],
            [x for x in self.entries if x.entry.kind is not EntryKind.BATCH],
        )
        shown = decode_entries(data, log=TERMS.log, before=self.begin, recorded_at_s=0)
        about = {x.entry.number: x for x in shown.about_keys}
        for _, error in authors.take(shown.entries, about, self.named):
            raise error
        return authors


@pytest.fixture
def log() -> _Log:
    return _Log()


def _chain(signers: LogSigners) -> list[tuple[Bytes32, int | None]]:
    return [(signer.key, signer.until) for signer in signers]


def test_successor__named_by_the_log_key__signs_from_then_on(log: _Log) -> None:
    log.follow(log.first, SECOND.public)
    second = Signer(SECOND.name, after=log.end.head)
    log.events(log.rack, [{}], [ACCEPTED], at_s=AT_S)
    log.follow(second, THIRD.public)

    signers = log.judged().signers

    assert _chain(signers) == [(FIRST.public, 3), (SECOND.public, 5), (THIRD.public, None)]
    assert signers.present == THIRD.public


def test_successor__of_a_lost_key__is_named_by_the_ledger_key(log: _Log) -> None:
    log.follow(log.ledger, SECOND.public)

    assert _chain(log.judged().signers) == [(FIRST.public, 3), (SECOND.public, None)]


def test_successor__of_a_ledger_key_that_no_address_names__is_refused(log: _Log) -> None:
    log.named = [NamedKey(THIRD.public, AT_S)]

    with pytest.raises(KeyUnknown, match="had not named"):
        log.judged()


REFUSED: dict[str, tuple[Callable[[_Log], object], type[AppError], str]] = {
    "a second": (
        lambda log: (log.follow(log.first, SECOND.public), log.follow(log.first, THIRD.public)),
        *(KeyUnknown, "was ended by entry 3"),
    ),
    "itself": (lambda log: log.follow(log.first, FIRST.public), KeyForbidden, "was one of"),
    "the ledger key": (lambda log: log.follow(log.first, LEDGER.public), KeyForbidden, "was one"),
    "a collector's": (lambda log: log.follow(log.first, RACK.public), KeyForbidden, "was one of"),
    "by a collector": (
        lambda log: log.follow(log.rack, SECOND.public),
        *(KeyForbidden, "only the log's own key"),
    ),
    "by a stranger": (
        lambda log: log.follow(_signer(THIRD), SECOND.public),
        *(KeyUnknown, "none of this log's"),
    ),
    "over another path": (
        lambda log: log.follow(log.first, SECOND.public, path="/v1/log/keys/end"),
        *(SignatureRefused, "another path"),
    ),
    "behind another entry": (
        lambda log: log.follow(log.first, SECOND.public, after=Bytes32(b"\7" * 32)),
        *(AfterRefused, "newest entry here is"),
    ),
    "back to the first": (
        lambda log: (
            log.follow(log.first, SECOND.public),
            log.follow(Signer("second", after=log.end.head), FIRST.public),
        ),
        *(KeyForbidden, "was one of"),
    ),
    "events of the log's key": (
        lambda log: log.events(log.first, [{}], [ACCEPTED], at_s=AT_S),
        *(KeyForbidden, "signs receipts and names its successor"),
    ),
    "a collector of the log's key": (
        lambda log: log.bring(log.first, _signer(SECOND), at_s=AT_S),
        *(KeyForbidden, "signs receipts and names its successor"),
    ),
    "an end of the log's key": (
        lambda log: log.end_key(log.ledger, log.first, at_s=AT_S),
        *(KeyForbidden, "ends when its successor is named"),
    ),
    "the log's key as a collector": (
        lambda log: log.bring(log.ledger, log.first, at_s=AT_S),
        *(KeyForbidden, "was one of"),
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_successor__that_no_log_takes__is_refused(log: _Log, case: str) -> None:
    act, error, words = REFUSED[case]
    act(log)

    with pytest.raises(error, match=words):
        log.judged()


def test_successor__of_a_log_without_a_key__is_refused(log: _Log) -> None:
    keys = LogKeys()
    keys.take(
        *(LEDGER.public, EntryKind.KEY),
        require_author(
            keys,
            log.entries[0].request,  # type: ignore[arg-type]
            EntryKind.KEY,
            log.entries[0].body,
        )[1],
        number=1,
        hashed=entry_hash(log.entries[0].entry),
        after=ZERO32,
    )
    named = log.follow(log.ledger, SECOND.public)

    with pytest.raises(KeyForbidden, match="no key of its own"):
        require_author(keys, named.request, SUCCESSOR, named.body)  # type: ignore[arg-type]
    assert _chain(signers_of(keys)) == [(ZERO32, None)]


@pytest.mark.parametrize(
    "body",
    [
        canonical_line({"key": key_text(WEAK)}),
        canonical_line({"key": key_text(SECOND.public), "name": "x", "role": "log"}),
        key_body(SECOND.public, name="x", role=KeyRole.COLLECTOR),
        b"[]",
    ],
)
def test_successor__weak_or_of_another_form__is_refused(log: _Log, body: bytes) -> None:
    """Under a key of small order everybody signs receipts."""
    log.add(log.first, SUCCESSOR, body, at_s=AT_S)

    with pytest.raises(InvalidInput):
        log.judged()


def test_key__with_the_role_of_the_logs_own__is_refused(log: _Log) -> None:
    body = key_body(SECOND.public, name="x", role=KeyRole.LOG)
    log.add(log.ledger, EntryKind.KEY, body, at_s=AT_S)

    with pytest.raises(InvalidInput, match="named by a successor entry"):
        log.judged()


# --- receipts ---


@pytest.fixture
def signers(log: _Log) -> LogSigners:
    """FIRST until entry 3, SECOND behind it; the log has an entry more."""
    log.follow(log.first, SECOND.public)
    log.events(log.rack, [{}], [ACCEPTED], at_s=AT_S)
    return log.judged().signers


@pytest.mark.parametrize(
    ("key", "number", "signs"),
    [
        *((FIRST, 1, True), (FIRST, 3, True), (FIRST, 4, False)),
        *((SECOND, 1, True), (SECOND, 3, True), (SECOND, 4, True), (THIRD, 1, False)),
    ],
)
def test_receipt__by_a_key_of_the_log__holds_up_to_its_end(
    log: _Log, signers: LogSigners, key: Signer, number: int, signs: bool
) -> None:
    signed = signed_entry_of(log.entries[number - 1], key.key)

    if signs:
        signed.require_signed(signers)
        return
    words = "did not sign it" if key is THIRD else "which entry 3 replaced by another"
    with pytest.raises(EvidenceInvalid, match=words):
        signed.require_signed(signers)


def test_receipt__behind_the_end_of_its_key__is_still_known_for_its_signature(
    log: _Log, signers: LogSigners
) -> None:
    """A service that names a successor early in a log that it writes anew hides no receipt."""
    signed = signed_entry_of(log.entries[3], FIRST.key)

    signer = signers.require_signer(signed.entry, signed.signature, where="here")

    assert (signer.key, signer.signs(3), signer.signs(4)) == (FIRST.public, True, False)


# --- shown without the log ---


def _never(_author: Bytes32, _key: Bytes32) -> bool:
    return False


def test_followed__by_entries_as_the_service_shows_them__comes_to_the_same(
    log: _Log, signers: LogSigners
) -> None:
    log.follow(Signer("second", after=entry_hash(log.entries[2].entry)), THIRD.public)
    documents = [entry_document(log.entries[i]) for i in (2, 4)]
    said = as_object(read_json(canonical_line({"successors": documents})))

    chain = only(FIRST.public)
    for logged in shown_successors(said):
        chain = chain.followed(logged, log=TERMS.log, believes=_never)

    assert _chain(chain) == [(FIRST.public, 3), (SECOND.public, 5), (THIRD.public, None)]
    assert shown_successors({}) == []


def test_followed__by_the_ledger_keys_word__needs_somebody_to_believe_it(log: _Log) -> None:
    named = log.follow(log.ledger, SECOND.public)

    with pytest.raises(EvidenceInvalid, match=f"the log's key {key_text(FIRST.public)} did not"):
        only(FIRST.public).followed(named, log=TERMS.log, believes=_never)

    chain = only(FIRST.public).followed(
        named, log=TERMS.log, believes=lambda *pair: pair == (LEDGER.public, SECOND.public)
    )
    assert chain.present == SECOND.public


FOREIGN = LogName(TERMS.log.chain_id, TERMS.log.registry, TERMS.facility_id + 1)
UNPROVEN: dict[str, tuple[Callable[[_Log], LoggedEntry], str]] = {
    # ATTACKS: a successor that was named in one log is shown as another's.
    "another log": (
        lambda log: replace(
            (named := log.follow(log.first, SECOND.public)),
            entry=replace(named.entry, log=FOREIGN),
        ),
        "is of log",
    ),
    "another key in its body": (
        lambda log: replace(
            log.follow(log.first, SECOND.public), packed=log.follow(log.first, THIRD.public).packed
        ),
        "its body is another",
    ),
    "an entry of another kind": (
        lambda log: log.add(log.first, EntryKind.KEY_END, key_end_body(SECOND.public), at_s=AT_S),
        "names no successor",
    ),
    "nobody's": (lambda log: log.unsigned([{}], at_s=AT_S), "names no successor"),
    "another path": (
        lambda log: log.follow(log.first, SECOND.public, path="/v1/log/keys"),
        "another path",
    ),
    "a key of before": (lambda log: log.follow(log.first, FIRST.public), "had before"),
    "somebody's": (lambda log: log.follow(_signer(THIRD), SECOND.public), "did not"),
}


@pytest.mark.parametrize("case", UNPROVEN)
def test_followed__by_what_proves_nothing__is_refused(log: _Log, case: str) -> None:
    shown, words = UNPROVEN[case][0](log), UNPROVEN[case][1]

    with pytest.raises(EvidenceInvalid, match=words):
        only(FIRST.public).followed(shown, log=TERMS.log, believes=_never)


def test_followed__by_an_entry_before_the_last__is_refused(log: _Log) -> None:
    early = log.follow(Signer("second"), THIRD.public)
    late = log.follow(log.first, SECOND.public)
    chain = only(FIRST.public).followed(late, log=TERMS.log, believes=_never)

    with pytest.raises(EvidenceInvalid, match="not behind the one before"):
        chain.followed(early, log=TERMS.log, believes=_never)


def test_successor__replayed_in_another_log__is_signed_by_nobody(log: _Log) -> None:
    """Its signature names the log, as every request's does."""
    named = log.follow(log.first, SECOND.public)
    other = replace(named, entry=replace(named.entry, log=FOREIGN))

    with pytest.raises(EvidenceInvalid, match="signature is not the key's"):
        only(FIRST.public).followed(other, log=FOREIGN, believes=_never)


def test_fork__two_successors_of_one_key__are_two_entries_that_it_signed(log: _Log) -> None:
    """Of one number they are a fork as any; of two, the later is behind the end of its key."""
    log.follow(log.first, SECOND.public)
    other = _Log()
    other.events(other.rack, [{}], [ACCEPTED], at_s=AT_S)
    late = other.follow(other.first, THIRD.public)
    signers = log.judged().signers

    signed = signed_entry_of(late, FIRST.key)

    with pytest.raises(EvidenceInvalid, match="which entry 3 replaced by another"):
        signed.require_signed(signers)
    key = Ed25519PrivateKey.generate()
    with pytest.raises(EvidenceInvalid, match="did not sign it"):
        signed_entry_of(late, key).require_signed(signers)
