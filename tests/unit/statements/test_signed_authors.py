"""Who signed an entry: a service that repeats, moves, drops or invents one is found."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from api.domain.log.answers import ACCEPTED, DUPLICATE
from api.domain.log.authors import CLOCK_S, HEARD_S
from api.domain.log.entry import EntryKind, entry_hash
from api.domain.log.keys import key_end_body
from api.domain.log.requests import key_text
from api.domain.units import Bytes32
from api.errors import EvidenceInvalid
from tests.signed_logs import Signer
from tests.unit.payloads import HOUR_S, TERMS, adjusted, usage
from tests.unit.statements.signed_site import Site
from tests.unit.values import DAY_S, START_S

A = usage("a", 0, 0, HOUR_S)


@pytest.fixture
def site() -> Site:
    """A site without a fault."""
    return Site()


Attack = Callable[[Site], object]


def _again_recorded(site: Site) -> None:
    """The service records an old signed batch again."""
    old = site.say(site.rack, (A, ACCEPTED))
    site.log.add(
        site.rack, old.entry.kind, old.body, bytes([DUPLICATE]), at_s=START_S + HOUR_S,
        request=old.request,
    )  # fmt: skip


def _under_another_key(site: Site) -> None:
    """It says that another key signed it."""
    other = Signer("other")
    site.log.bring(site.ledger, other, at_s=START_S + HOUR_S)
    old = site.say(site.rack, (A, ACCEPTED))
    assert old.request is not None
    params = old.request.params.replace(_text(site.rack), _text(other))
    forged = replace(old.request, author=other.public, params=params, after=other.after)
    site.log.add(
        other, old.entry.kind, old.body, bytes([DUPLICATE]), at_s=START_S + HOUR_S, request=forged
    )


def _text(signer: Signer) -> str:
    return key_text(signer.public)


def _own_ledger_key(site: Site) -> None:
    """The service brings a ledger key of its own."""
    site.log.bring_itself(Signer("of the service"), at_s=START_S + HOUR_S)


def _own_collector_key(site: Site) -> None:
    """The service names a collector by a key that it brought itself."""
    body = b'{"key":"%s","name":"x","role":"collector"}' % _text(Signer("service")).encode()
    site.log.add(Signer("service"), EntryKind.KEY, body, at_s=START_S + HOUR_S)


def _ended_key(site: Site) -> None:
    site.log.end_key(site.ledger, site.rack, at_s=START_S + HOUR_S)
    site.say(site.rack, (A, ACCEPTED))


def _of_another_facility(site: Site) -> None:
    """A body that was signed for another facility of the same collector."""
    body = json.dumps([A]).encode()
    other = replace(TERMS.log, facility_id=99)
    at_s = START_S + HOUR_S
    request = site.log.request(site.rack, EntryKind.BATCH, body, log=other, created_s=at_s)
    site.log.add(site.rack, EntryKind.BATCH, body, bytes([ACCEPTED]), at_s=at_s, request=request)


def _changed_body(site: Site) -> None:
    body, at_s = json.dumps([A]).encode(), START_S + HOUR_S
    request = site.log.request(site.rack, EntryKind.BATCH, b"[]", created_s=at_s)
    site.log.add(site.rack, EntryKind.BATCH, body, bytes([ACCEPTED]), at_s=at_s, request=request)


def _batch_as_key(site: Site) -> None:
    """What was signed for one path ends a key."""
    body = key_end_body(site.rack.public)
    site.log.add(site.ledger, EntryKind.KEY_END, body, at_s=START_S + HOUR_S, path="/v1/events")


def _dropped(site: Site) -> None:
    """One of a collector's entries is left out, and all others are made anew."""
    site.rack.after = Bytes32(b"\7" * 32)
    site.say(site.rack, (A, ACCEPTED))


def _future(site: Site) -> None:
    body, at_s = json.dumps([A]).encode(), START_S + HOUR_S
    site.log.add(
        site.rack, EntryKind.BATCH, body, bytes([ACCEPTED]), at_s=at_s,
        created_s=at_s + CLOCK_S + 1,
    )  # fmt: skip


def _key_rejected(site: Site) -> None:
    """Who is answered that its key was not taken, although it was."""
    body, at_s = key_end_body(site.rack.public), START_S + HOUR_S
    site.log.add(site.ledger, EntryKind.KEY_END, body, bytes([DUPLICATE]), at_s=at_s)


def _replaced_ledger_key(site: Site) -> None:
    site.log.name(Signer("successor"), at_s=START_S)
    site.say(site.ledger, (adjusted("m", 1), ACCEPTED), at_s=HEARD_S)


ATTACKS: dict[str, tuple[Attack, str]] = {
    "old batch again": (_again_recorded, "newest entry here is"),
    "old batch under another key": (_under_another_key, "the signature is not the key's"),
    "own ledger key": (_own_ledger_key, "had not named .* on-chain"),
    "own collector's key": (_own_collector_key, "is none of this log's"),
    "ended key": (_ended_key, "was ended by entry 4"),
    "body of another facility": (_of_another_facility, "the signature is not the key's"),
    "body changed": (_changed_body, "the signature is not the key's"),
    "batch as an end of a key": (_batch_as_key, "it was signed for another path"),
    "entry before left out": (_dropped, "newest entry here is"),
    "signed in the future": (_future, "check the clock"),
    "key answered otherwise": (_key_rejected, "its answer is another"),
    "ledger key that was replaced": (_replaced_ledger_key, "named another key in place of"),
}


@pytest.mark.parametrize("case", ATTACKS)
def test_author__that_may_not__is_named_with_the_entry(site: Site, case: str) -> None:
    attack, message = ATTACKS[case]
    attack(site)

    site.refused(rf"entry \d of the log: .*{message}|{message}")


def test_author__ledger_key_heard_of_later__is_judged_by_what_is_known_then(site: Site) -> None:
    successor = Signer("successor")
    rebuilt = site.read()
    site.log.name(successor, at_s=START_S + HOUR_S)
    site.log.bring_itself(successor, at_s=START_S + HOUR_S)

    with pytest.raises(EvidenceInvalid, match="had not named"):
        rebuilt.read(site.log.entries[3:])
    again = Site().read()
    again.hear(site.log.named)
    again.read(site.log.entries[3:])

    assert again.end == site.read().end
    assert again.end.head == entry_hash(site.log.entries[-1].entry)


def test_author__with_a_name_of_an_events_field__is_a_key_as_any(site: Site) -> None:
    """Entries about keys hold no events, whatever their bodies say."""
    site.log.bring(site.ledger, Signer("corrects"), at_s=START_S + HOUR_S)

    site.read()


def test_author__of_closed_books__is_judged_and_tells_nothing(site: Site) -> None:
    ended_at_s = START_S + DAY_S
    late = ended_at_s + TERMS.grace_s + 1 - START_S
    site.say(site.rack, ({"x": 1}, ACCEPTED), at_s=late)

    assert site.close(ended_at_s=ended_at_s).lines == ()
    site.say(site.rack, ({"x": 1}, ACCEPTED), at_s=late)
    site.log.entries[-1] = replace(site.log.entries[-1], request=None)
    site.refused("its author did not sign", ended_at_s=ended_at_s)
