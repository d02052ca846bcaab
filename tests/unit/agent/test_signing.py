"""The agent's signer: what it signs, which receipts it takes, and which logs it believes."""

import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from api.agent.events import NewEvent
from api.agent.failures import LogRefused
from api.agent.flights import Flights, Result, refused, send_sent
from api.agent.spool import Spool, append
from api.agent.spool_tables import SCHEMA
from api.domain.log.answers import DUPLICATE, KNOWN, REJECTED
from api.domain.log.entry import EntryKind, entry_hash
from api.domain.log.receipts import pack_receipt, unpack_receipt
from api.domain.log.requests import content_digest, key_text, read_request
from api.domain.units import ZERO32, FacilityId
from api.errors import EvidenceInvalid
from tests.unit.agent.desk import open_spool
from tests.unit.agent.signed_log import (
    BLIND,
    LOG,
    SignedLog,
    Signing,
    accepted,
    answer,
    raw_key,
)

PATH, MEDIA = "/v1/events", "application/cloudevents-batch+json"
ANOTHER = replace(LOG, facility_id=FacilityId(2))


@pytest.fixture
def signing(tmp_path: Path) -> Signing:
    """A signer with a spool of its own."""
    return Signing(open_spool(tmp_path))


def test_request__is_signed_over_body_log_and_last_receipt(signing: Signing) -> None:
    last = signing.log.take(b"[1]", signing.public)
    flight = signing.flight(b"[2]", after=last)

    headers = signing.signer().headers(flight, path=PATH, content_type=MEDIA)

    read = read_request(headers, path=PATH)
    read.require_signed(content_digest(b"[2]"), log=LOG)
    assert (read.author, read.created_s) == (signing.public, signing.clock.now_s)
    assert read.after == entry_hash(last.entry)


def test_first_request__names_no_receipt(signing: Signing) -> None:
    headers = signing.signer().headers(signing.flight(), path=PATH, content_type=MEDIA)

    assert headers["rentroll-after"] == ZERO32.hex()


def test_receipt__that_holds__is_kept_as_it_came(signing: Signing) -> None:
    results = [
        Result("accepted"),
        Result("accepted", known=True),
        Result("duplicate"),
        Result("rejected", "overlap", "in use"),
    ]
    answers = bytes([0, KNOWN, DUPLICATE, REJECTED["overlap"]])
    receipt = signing.log.take(b"[{}]", signing.public, answers=answers)

    packed = signing.signer().receipt(signing.flight(), answer(receipt), results)

    assert unpack_receipt(packed) == receipt


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "of another log": ({"log": ANOTHER}, "another log"),
    "of another key": ({"author": raw_key(Ed25519PrivateKey.generate())}, "another key's"),
    "of nobody": ({"author": ZERO32}, "another key's"),
    "about a key": ({"kind": EntryKind.KEY}, "another request"),
}


@pytest.mark.parametrize("said", WRONG)
def test_receipt__of_another_entry__is_refused(signing: Signing, said: str) -> None:
    changes, message = WRONG[said]
    receipt = signing.log.take(b"[{}]", **{"author": signing.public, **changes})

    with pytest.raises(LogRefused, match=message):
        signing.signer().receipt(signing.flight(), answer(receipt), accepted())


def test_receipt__for_another_body__is_refused(signing: Signing) -> None:
    receipt = signing.log.take(b"[{ }]", signing.public)

    with pytest.raises(LogRefused, match="another body"):
        signing.signer().receipt(signing.flight(), answer(receipt), accepted())


@pytest.mark.parametrize(
    "results",
    [
        [Result("duplicate")],
        [Result("accepted", known=True)],
        [Result("rejected", "overlap", "in use")],
        [Result("rejected", "no_such_code", "?")],
        [Result("no_such_status")],
        accepted(2),
        [],
    ],
)
def test_receipt__with_other_answers_than_were_given__is_refused(
    signing: Signing, results: list[Result]
) -> None:
    receipt = signing.log.take(b"[{}]", signing.public)

    with pytest.raises(LogRefused, match="other answers"):
        signing.signer().receipt(signing.flight(), answer(receipt), results)


@pytest.mark.parametrize("code", ["no_such_code", "unknown_status"])
def test_receipt__of_a_newer_service__holds_where_its_reason_is_unknown(
    signing: Signing, code: str
) -> None:
    """Word and byte are both unknown here; what is known is never taken for such a one."""
    receipt = signing.log.take(b"[{}]", signing.public, answers=bytes([250]))
    told = [Result("rejected", code, "?")]

    packed = signing.signer().receipt(signing.flight(), answer(receipt), told)

    assert unpack_receipt(packed) == receipt
    for other in (Result("accepted"), Result("rejected", "overlap")):
        with pytest.raises(LogRefused, match="other answers"):
            signing.signer().receipt(signing.flight(), answer(receipt), [other])


def test_receipt__whose_answers_are_not_the_entrys__is_refused(signing: Signing) -> None:
    receipt = signing.log.take(b"[{}]", signing.public)
    said = answer(receipt, answers=bytes([DUPLICATE]))

    with pytest.raises(LogRefused, match="others than the entry's"):
        signing.signer().receipt(signing.flight(), said, [Result("duplicate")])


@pytest.mark.parametrize("signature", [b"\0" * 64, b"", b"\1"])
def test_receipt__that_the_logs_key_did_not_sign__is_refused(
    signing: Signing, signature: bytes
) -> None:
    receipt = signing.log.take(b"[{}]", signing.public)

    with pytest.raises(LogRefused, match="did not sign"):
        signing.signer().receipt(signing.flight(), answer(receipt, signature=signature), accepted())


@pytest.mark.parametrize(
    "said", [{}, {"receipt": None}, {"receipt": "x"}, {"receipt": {}}, {"receipt": {"entry": 1}}]
)
def test_answer__without_a_receipt__is_refused(signing: Signing, said: dict[str, Any]) -> None:
    with pytest.raises(LogRefused, match="receipt"):
        signing.signer().receipt(signing.flight(), said, accepted())


def test_receipt__of_before__is_none_of_the_same_body_sent_again(signing: Signing) -> None:
    """Who restores a log cannot show an old receipt for what it forgets."""
    old = signing.log.take(b"[{}]", signing.public)
    newest = signing.log.take(b"[1]", signing.public)
    flight = signing.flight(b"[{}]", after=newest)

    with pytest.raises(LogRefused, match="we have a receipt of entry 2"):
        signing.signer().receipt(flight, answer(old), accepted())


# --- behind which receipt it goes on -------------------------------------------------------------


def test_key__that_was_brought__goes_on_behind_its_key_entry(signing: Signing) -> None:
    operator = raw_key(Ed25519PrivateKey.generate())
    brought = signing.log.take(b"key", operator, kind=EntryKind.KEY)

    packed = signing.signer().begin_behind(signing.flight(), answer(brought))

    assert unpack_receipt(packed).entry == brought.entry


def test_spool__that_was_lost__goes_on_behind_its_own_newest_entry(signing: Signing) -> None:
    newest = signing.log.take(b"[1]", signing.public)

    packed = signing.signer().begin_behind(signing.flight(), answer(newest))

    assert unpack_receipt(packed).entry == newest.entry


@pytest.mark.parametrize("known", [0, 1])
def test_log__that_goes_on_behind_a_strangers_entry__is_refused(
    signing: Signing, known: int
) -> None:
    last = signing.log.take(b"[1]", signing.public)
    kind = EntryKind.KEY if known else EntryKind.BATCH
    other = signing.log.take(b"[2]", raw_key(Ed25519PrivateKey.generate()), kind=kind)
    flight = signing.flight(after=last if known else None)

    with pytest.raises(LogRefused, match="another key's"):
        signing.signer().begin_behind(flight, answer(other))


@pytest.mark.parametrize("shown", [0, 1])
def test_log__behind_our_receipt__is_refused(signing: Signing, shown: int) -> None:
    """It was rewritten or restored: nothing is sent to it."""
    receipts = [signing.log.take(b"[%d]" % i, signing.public) for i in range(2)]
    flight = signing.flight(after=receipts[1])

    with pytest.raises(LogRefused, match="rewritten, or restored"):
        signing.signer().begin_behind(flight, answer(receipts[shown]))


def test_log__behind_our_receipt_with_another_key__is_refused(signing: Signing) -> None:
    last = signing.log.take(b"[1]", signing.public)
    fork = SignedLog()
    fork.take(b"[1]", signing.public)
    shown = fork.take(b"[2]", signing.public)

    with pytest.raises(LogRefused, match="did not sign"):
        signing.signer().begin_behind(signing.flight(after=last), answer(shown))


# --- which log it believes -----------------------------------------------------------------------


def test_log__once_asked__is_pinned_for_later_processes(signing: Signing) -> None:
    """Another key, or another name, is believed by nobody who has the spool."""
    assert signing.signer().log(1) == str(LOG)
    other = SignedLog(name=replace(LOG, chain_id=1))

    assert signing.signer(other.said).log(1) == str(LOG)
    assert (signing.log.asked, other.asked) == (1, 0)
    receipt = other.take(b"[{}]", signing.public)
    with pytest.raises(LogRefused, match="another log"):
        signing.signer(other.said).receipt(signing.flight(), answer(receipt), accepted())


def test_log_key__of_the_settings__is_the_only_one_believed(signing: Signing) -> None:
    signing.pinned = key_text(raw_key(Ed25519PrivateKey.generate()))
    with pytest.raises(LogRefused, match="the settings say"):
        signing.signer().log(1)

    signing.pinned = key_text(raw_key(signing.log.key))
    assert signing.signer().log(1) == str(LOG)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (b"", "no Rentroll"),
        (b"[]", "no Rentroll"),
        (b"{}", "no Rentroll"),
        (orjson.dumps({"log": "x", "log_key": key_text(ZERO32)}), "no Rentroll"),
        (orjson.dumps({"log": str(LOG), "log_key": "short"}), "no Rentroll"),
        (orjson.dumps({"log": str(LOG), "log_key": key_text(ZERO32)}), "gives no receipts"),
    ],
)
def test_log__that_is_none__is_refused_and_asked_for_again(
    signing: Signing, said: bytes, message: str
) -> None:
    with pytest.raises(LogRefused, match=message):
        signing.signer(lambda _facility: said).log(1)

    assert signing.signer().log(1) == str(LOG)


def test_log__of_another_facility__is_refused(signing: Signing) -> None:
    with pytest.raises(LogRefused, match="facility 2"):
        signing.signer().log(2)


@pytest.mark.parametrize(("off_s", "told_s"), [(120, 0), (121, 121), (-121, -121), (0, 0)])
def test_second_of_a_receipt__off_our_clock__is_told(
    signing: Signing, off_s: int, told_s: int
) -> None:
    receipt = signing.log.take(b"[]", signing.public, at_s=signing.clock.now_s + off_s)

    assert signing.signer().off_s(pack_receipt(receipt)) == told_s


def test_kept_receipt__that_is_cut__cannot_be_read(signing: Signing) -> None:
    packed = pack_receipt(signing.log.take(b"[]", signing.public, answers=b""))

    assert unpack_receipt(packed).blind == BLIND
    with pytest.raises(EvidenceInvalid, match="bytes"):
        unpack_receipt(packed[:-1])


# --- what the spool keeps of it ------------------------------------------------------------------


def test_spool__of_version_1__opens_as_2_with_its_events(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "spool.db") as db:
        db.executescript(f"{SCHEMA} PRAGMA user_version = 1;")
        db.execute(
            "INSERT INTO events (facility, source, id, about, body, spooled_s)"
            " VALUES (1, 's', 'e1', '', CAST('{}' AS BLOB), 5)"
        )
    db.close()

    signing = Signing(open_spool(tmp_path))

    assert signing.signer().log(1) == str(LOG)
    assert signing.next().body == b"[{}]"


def _spooled(spool: Spool, *names: str) -> None:
    with spool.write() as db:
        append(db, [NewEvent(1, "s", name, "", b'{"id":"%s"}' % name.encode()) for name in names],
               now_s=10)  # fmt: skip


def test_key__replaced_while_a_body_is_under_way__leaves_it_to_the_next(signing: Signing) -> None:
    """The events wait on, and the old key's body is forgotten."""
    _spooled(signing.spool, "a", "b")
    old = signing.next()
    signing.key = Ed25519PrivateKey.generate()

    new = signing.next()

    assert (new.seqs, new.body) == (old.seqs, old.body)
    assert new.author != old.author
    with signing.spool.read() as db:
        assert db.execute("SELECT author FROM flights").fetchall() == [(new.author,)]


def test_body__with_a_receipt__is_sent_again_without_what_was_rejected(signing: Signing) -> None:
    """The whole body is kept, for the receipt is of it; what was refused, people look at."""
    device = {"device": "GPU-1", "facility_id": 1}
    bodies = [{"source": "s", "id": x, "type": "t", "data": device} for x in "abc"]
    with signing.spool.write() as db:
        new = [NewEvent(1, "s", each["id"], "", orjson.dumps(each)) for each in bodies]
        append(db, new, now_s=10)
    flight = signing.next()
    answers = bytes([0, REJECTED["overlap"], DUPLICATE])
    receipt = signing.log.take(flight.body, signing.public, answers=answers)
    results = [*accepted(), Result("rejected", "overlap", "in use"), Result("duplicate")]
    Flights(signing.spool).settle(flight, results, pack_receipt(receipt), now_s=20)

    assert send_sent(signing.spool, since_s=0, now_s=30) == 2

    assert [event["id"] for event in orjson.loads(signing.next().body)] == ["a", "c"]


def test_body__with_reasons_of_a_newer_service__keeps_and_shows_what_was_refused(
    signing: Signing,
) -> None:
    """The others go on, and what was refused is not sent with what was taken."""
    device = {"device": "GPU-1", "facility_id": 1}
    bodies = [{"source": "s", "id": x, "type": "t", "data": device} for x in "ab"]
    with signing.spool.write() as db:
        new = [NewEvent(1, "s", each["id"], "", orjson.dumps(each)) for each in bodies]
        append(db, new, now_s=10)
    flight = signing.next()
    receipt = signing.log.take(flight.body, signing.public, answers=bytes([0, 250]))
    results = [*accepted(), Result("rejected", "no_such_code", "why")]
    packed = signing.signer().receipt(flight, answer(receipt), results)

    waiting = Flights(signing.spool).settle(flight, results, packed, now_s=20)

    [kept] = refused(signing.spool, most=9)
    assert (kept.id, kept.code, kept.detail, waiting) == ("b", "no_such_code", "why", 0)
    assert send_sent(signing.spool, since_s=0, now_s=30) == 1


def test_receipts__found_behind_a_refusal__are_kept_and_outlive_bodies(signing: Signing) -> None:
    flights = Flights(signing.spool)
    _spooled(signing.spool, "a")
    first = signing.log.take(b"key", ZERO32, kind=EntryKind.KEY)
    flights.begin_behind(signing.next(), pack_receipt(first), now_s=10)
    second = signing.log.take(signing.next().body, signing.public)
    flights.settle(signing.next(), accepted(), pack_receipt(second), now_s=20)

    signing.spool.purge(before_s=21)

    kept = flights.receipts(str(LOG), signing.signer().author)
    assert [unpack_receipt(each.receipt) for each in kept] == [first, second]
    assert [each.body for each in kept] == [b"", b""]

    signing.spool.purge(before_s=21, receipts_before_s=20)

    kept = flights.receipts(str(LOG), signing.signer().author)
    assert [unpack_receipt(each.receipt) for each in kept] == [second]
    _spooled(signing.spool, "b")
    assert signing.next().after == pack_receipt(second)
