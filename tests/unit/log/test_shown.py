"""Authors of a log as anybody can judge them, by what evidence shows of its entries."""

import json
from collections.abc import Callable

import pytest

from api.domain.log.answers import ACCEPTED
from api.domain.log.authors import HEARD_S
from api.domain.log.entry import NO_LOG, EntryKind
from api.domain.log.keys import KeyRole, key_body
from api.domain.log.shown import ShownAuthors
from api.domain.statements.batches import decode_entries, encode_entries
from api.domain.units import Bytes32
from api.errors import EvidenceInvalid
from tests.signed_logs import SignedLog, Signer
from tests.unit.values import DAY_S, START_S, TERMS

AT_S = START_S


@pytest.fixture
def site() -> tuple[SignedLog, Signer, Signer]:
    """A log, its ledger key and a collector's; both have signed."""
    log, ledger, rack = SignedLog(TERMS), Signer("ledger"), Signer("rack")
    log.name(ledger, at_s=AT_S)
    log.bring_itself(ledger, at_s=AT_S)
    log.bring(ledger, rack, at_s=AT_S)
    log.events(rack, [{}], [ACCEPTED], at_s=AT_S)
    log.events(ledger, [{}], [ACCEPTED], at_s=AT_S)
    return log, ledger, rack


def _shown(log: SignedLog) -> bytes:
    about = [each for each in log.entries if each.entry.kind is not EntryKind.BATCH]
    return encode_entries([each.entry for each in log.entries], about)


def _problems(log: SignedLog, *, unsigned_taken: bool = True) -> list[tuple[int, str]]:
    """Number and reason of entries that no log could have taken, from the published bytes."""
    data = _shown(log)
    published = decode_entries(data, log=log.terms.log, before=NO_LOG, recorded_at_s=0)
    assert encode_entries(published.entries, published.about_keys) == data
    authors = ShownAuthors(unsigned_taken=unsigned_taken)
    about = {each.entry.number: each for each in published.about_keys}
    found = authors.take(published.entries, about, log.named)
    return [(entry.number, error.message) for entry, error in found]


def test_authors__of_an_honest_log__may_all_sign(site: tuple[SignedLog, Signer, Signer]) -> None:
    log, ledger, rack = site
    log.unsigned([{}], at_s=AT_S)
    successor = Signer("successor")
    log.name(successor, at_s=AT_S + DAY_S)
    log.events(ledger, [{}], [ACCEPTED], at_s=AT_S + DAY_S + HEARD_S - 1)
    log.bring_itself(successor, at_s=AT_S + DAY_S + HEARD_S)
    log.events(rack, [{}], [ACCEPTED], at_s=AT_S + 2 * DAY_S)
    log.end_key(rack, rack, at_s=AT_S + 2 * DAY_S)

    assert _problems(log) == []


def test_unsigned__where_terms_refuse_it__is_found(
    site: tuple[SignedLog, Signer, Signer],
) -> None:
    log, *_ = site
    log.unsigned([{}], at_s=AT_S)

    [(number, message)] = _problems(log, unsigned_taken=False)

    assert (number, message) == (5, "nobody signed it, and the facility's terms refuse that")


Attack = Callable[[SignedLog, Signer, Signer], object]


def _stranger(log: SignedLog, ledger: Signer, rack: Signer) -> None:
    log.events(Signer("stranger"), [{}], [ACCEPTED], at_s=AT_S)


def _ended(log: SignedLog, ledger: Signer, rack: Signer) -> None:
    log.end_key(ledger, rack, at_s=AT_S)
    log.events(rack, [{}], [ACCEPTED], at_s=AT_S)


def _own(log: SignedLog, ledger: Signer, rack: Signer) -> None:
    log.bring_itself(Signer("of the service"), at_s=AT_S)


def _unnamed(log: SignedLog, ledger: Signer, rack: Signer) -> None:
    log.name(Signer("successor"), at_s=AT_S)
    log.events(ledger, [{}], [ACCEPTED], at_s=AT_S + HEARD_S)


def _left_out(log: SignedLog, ledger: Signer, rack: Signer) -> None:
    ledger.after = Bytes32(b"\7" * 32)
    log.end_key(ledger, rack, at_s=AT_S)


def _future(log: SignedLog, ledger: Signer, rack: Signer) -> None:
    body = key_body(Signer("x").public, name="x", role=KeyRole.COLLECTOR)
    log.add(ledger, EntryKind.KEY, body, at_s=AT_S, created_s=AT_S + 121)


def _path(log: SignedLog, ledger: Signer, rack: Signer) -> None:
    body = key_body(Signer("x").public, name="x", role=KeyRole.COLLECTOR)
    log.add(ledger, EntryKind.KEY, body, at_s=AT_S, path="/v1/events")


def _nonsense(log: SignedLog, ledger: Signer, rack: Signer) -> None:
    log.add(ledger, EntryKind.KEY, b"[]", at_s=AT_S)


ATTACKS: dict[str, tuple[Attack, int, str]] = {
    "of a stranger": (_stranger, 5, "none of this log's"),
    "of a key that was ended": (_ended, 6, "was ended by entry 5"),
    "of a ledger key of the service's own": (_own, 5, "had not named"),
    "of a ledger key that was replaced": (_unnamed, 5, "named another key"),
    "behind an entry that is left out": (_left_out, 5, "newest entry here is"),
    "of the future": (_future, 5, "check the clock"),
    "for another path": (_path, 5, "for another path"),
    "about nothing": (_nonsense, 5, "the body of a key cannot be read"),
}


@pytest.mark.parametrize("case", ATTACKS)
def test_authors__entry_that_no_log_takes__is_named(
    site: tuple[SignedLog, Signer, Signer], case: str
) -> None:
    attack, entry, message = ATTACKS[case]
    attack(*site)

    [(number, said)] = _problems(site[0])

    assert number == entry
    assert message in said


def _line(data: bytes, number: int, **changes: object) -> bytes:
    """Evidence whose line of a number says something else."""
    rows = [json.loads(row) for row in data.splitlines()]
    rows[number - 1] |= changes
    rows[number - 1] = {k: v for k, v in rows[number - 1].items() if v is not None}
    return b"".join(
        json.dumps(row, sort_keys=True, separators=(",", ":")).encode() + b"\n" for row in rows
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"said": "e30="}, "its body is another"),
        ({"blind": "0x" + "00" * 16}, "its body is another"),
        ({"blind": "0x" + "00" * 15}, "a blind has 16 bytes"),
        ({"blind": None}, "blind"),
        ({"said": "?"}, "base64"),
        ({"said": None}, "said"),
        ({"request": None}, "request"),
        ({"request": {}}, "path"),
        ({"answers": "0x" + "00" * 32}, "its answers are others"),
        ({"author": "0x" + "11" * 32}, "its author did not sign"),
        ({"author": "0x" + "00" * 32}, "nobody signed it"),
        ({"kind": "roll"}, "no entry is of kind"),
        ({"kind": None}, "kind"),
        ({"entry": 3}, "entry 2 comes next"),
        ({"recorded_at_s": AT_S - 1}, "recorded before"),
        ({"recorded_at_s": 2**70}, "too big"),
    ],
)
def test_entries__that_do_not_hold__name_the_line(
    site: tuple[SignedLog, Signer, Signer], changes: dict[str, object], message: str
) -> None:
    log, *_ = site
    data = _line(_shown(log), 2, **changes)

    with pytest.raises(EvidenceInvalid, match=rf"batches\.jsonl line 2: .*{message}") as refused:
        decode_entries(data, log=TERMS.log, before=NO_LOG, recorded_at_s=0)

    assert refused.value.context["line"] == 2


def test_entry_about_a_key__whose_signature_is_of_something_else__is_refused(
    site: tuple[SignedLog, Signer, Signer],
) -> None:
    log, *_ = site
    rows = [json.loads(row) for row in _shown(log).splitlines()]
    data = _line(_shown(log), 2, request=rows[1]["request"] | {"path": "/x/v1/log/keys"})

    with pytest.raises(EvidenceInvalid, match="the signature is not the key's"):
        decode_entries(data, log=TERMS.log, before=NO_LOG, recorded_at_s=0)
