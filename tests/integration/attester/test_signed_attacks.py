"""A service that lies about a log whose entries are signed finds no attester that signs.

The attester is fresh: it saw nothing before and has no memory.
"""

import json
from dataclasses import replace
from typing import Any

import pytest

from api.domain.log.answers import ACCEPTED, DUPLICATE, REJECTED
from api.domain.log.entry import EntryKind
from api.domain.log.keys import KeyRole, key_body, key_end_body
from tests.factories import HOUR_S
from tests.lying_service import Lie, Lies, Site, Told, change_events, last_s, signed_site
from tests.signed_logs import SignedLog, Signer
from tests.world import World

pytestmark = pytest.mark.chain


@pytest.fixture
def site(world: World) -> Site:
    """A statement that is closed and not attested yet."""
    return signed_site(world)


def test_attester__of_an_honest_service__signs(site: Site) -> None:
    assert site.verdict().signed


def _terms(site: Site, lie: Lie) -> None:
    """The operator's price, doubled: a signed body."""

    def dearer(event: dict[str, Any]) -> None:
        for step in event["data"]["prices"]:
            step["price"] *= 2

    change_events(lie.told[lie.named(site.operator)], dearer)


def _renter(site: Site, lie: Lie) -> None:
    def another(event: dict[str, Any]) -> None:
        event["data"]["renter_ref"] = "somebody else"

    change_events(lie.told[lie.named(site.operator)], another)


def _unsigned_terms(site: Site, lie: Lie) -> None:
    """The price of the lease that nobody signed for, before the keys came."""

    def dearer(event: dict[str, Any]) -> None:
        event["data"]["price_micros_per_gpu_hour"] *= 2

    change_events(lie.told[0], dearer)


def _recorded_later(site: Site, lie: Lie) -> None:
    """A collector's first batch and all behind it, an hour later."""
    for told in lie.told[lie.named(site.rack) :]:
        told.recorded_at_s += HOUR_S


def _dropped(site: Site, lie: Lie) -> None:
    del lie.told[lie.named(site.rack)]


def _event_dropped(site: Site, lie: Lie) -> None:
    told = lie.told[lie.named(site.rack)]
    told.body = json.dumps(json.loads(told.body)[:1]).encode()
    told.answers = told.answers[:1]


def _event_added(site: Site, lie: Lie) -> None:
    told = lie.told[lie.named(site.rack)]
    events = json.loads(told.body)
    events.append(site.world.ledger.usage(3, 0, HOUR_S, lease="signed", name="more"))
    told.body, told.answers = json.dumps(events).encode(), told.answers + bytes([ACCEPTED])


def _unsigned_before(site: Site, lie: Lie) -> None:
    """An unsigned batch, invented in between, moves what every author saw."""
    event = site.world.ledger.usage(3, 0, HOUR_S, name="invented")
    at = lie.named(site.rack)
    made = Told(
        EntryKind.BATCH, json.dumps([event]).encode(), bytes([ACCEPTED]),
        lie.told[at].recorded_at_s, bytes(16), None,
    )  # fmt: skip
    lie.told.insert(at, made)


def _reordered(site: Site, lie: Lie) -> None:
    one, two = lie.named(site.rack), lie.named(site.other)
    lie.told[one], lie.told[two] = lie.told[two], lie.told[one]


def _again(site: Site, lie: Lie) -> None:
    """An old signed batch once more, at the log's end."""
    old = lie.told[lie.named(site.rack, last=True)]
    lie.told.append(replace(old, answers=bytes([DUPLICATE]), recorded_at_s=last_s(lie)))


def _under_another_key(site: Site, lie: Lie) -> None:
    """One collector's batch, as if the other had signed it."""
    old = lie.told[lie.named(site.rack, last=True)]
    assert old.request is not None
    params = old.request.params.replace(site.rack.text, site.other.text)
    request = replace(old.request, author=site.other.public, params=params, after=site.other.after)
    lie.told.append(replace(old, answers=bytes([DUPLICATE]), request=request))


def _rejected(site: Site, lie: Lie) -> None:
    """Rejects what was right."""
    lie.told[lie.named(site.rack, last=True)].answers = bytes([REJECTED["overlap"]])


def _accepted(site: Site, lie: Lie) -> None:
    """Accepts what was wrong."""
    lie.told[lie.named(site.rack)].answers = bytes([ACCEPTED, ACCEPTED])


def _other_reason(site: Site, lie: Lie) -> None:
    lie.told[lie.named(site.rack)].answers = bytes([ACCEPTED, REJECTED["lease_unknown"]])


def _unsigned_then(site: Site, lie: Lie) -> None:
    """What somebody signed, as if nobody had: the share falls, and the price can be changed."""
    told = lie.told[lie.named(site.operator)]
    told.request = None


def _made(site: Site, lie: Lie, signer: Signer, kind: EntryKind, body: bytes) -> None:
    """An entry that the service signs by a key that it has."""
    log = SignedLog(site.terms)
    at_s = last_s(lie)
    request = log.request(signer, kind, body, created_s=at_s)
    lie.told.append(Told(kind, body, bytes([ACCEPTED]), at_s, bytes(16), request))


def _own_ledger_key(site: Site, lie: Lie) -> None:
    own = Signer("of the service")
    body = key_body(own.public, name="ledger", role=KeyRole.LEDGER)
    _made(site, lie, own, EntryKind.KEY, body)


def _own_collector_key(site: Site, lie: Lie) -> None:
    own = Signer("of the service")
    body = key_body(own.public, name="rack-3", role=KeyRole.COLLECTOR)
    _made(site, lie, own, EntryKind.KEY, body)


def _own_batch(site: Site, lie: Lie) -> None:
    event = site.world.ledger.usage(3, 0, HOUR_S, lease="signed", name="invented")
    body = json.dumps([event]).encode()
    _made(site, lie, Signer("of the service"), EntryKind.BATCH, body)


def _of_another_facility(site: Site, lie: Lie) -> None:
    """A body that the collector signed for another facility."""
    body = json.dumps([site.world.ledger.usage(3, 0, HOUR_S, lease="signed")]).encode()
    log = SignedLog(site.terms)
    signer = Signer("rack", site.rack.after, site.rack.key)
    foreign = replace(site.terms.log, facility_id=site.world.facility_id + 1)
    request = log.request(signer, EntryKind.BATCH, body, log=foreign, created_s=last_s(lie))
    lie.told.append(Told(EntryKind.BATCH, body, bytes([ACCEPTED]), last_s(lie), bytes(16), request))


def _ended_key(site: Site, lie: Lie) -> None:
    """A collector's key signs on, although the operator ended it."""
    ledger = Signer("ledger", site.operator.after, site.operator.key)
    _made(site, lie, ledger, EntryKind.KEY_END, key_end_body(site.rack.public))
    rack = Signer("rack", site.rack.after, site.rack.key)
    event = site.world.ledger.usage(3, 0, HOUR_S, lease="signed", name="more")
    _made(site, lie, rack, EntryKind.BATCH, json.dumps([event]).encode())


def _last_recorded_early(site: Site, lie: Lie) -> None:
    """The last batch as if it had come before it was signed."""
    lie.told[-1].recorded_at_s = last_s(lie) - 1


REFUSED: dict[str, tuple[Lies, str]] = {
    "terms rewritten": (_terms, "the signature is not the key's"),
    "renter rewritten": (_renter, "the signature is not the key's"),
    "unsigned terms rewritten": (_unsigned_terms, "newest entry here is"),
    "recorded later": (_recorded_later, "newest entry here is"),
    "entry dropped": (_dropped, "newest entry here is"),
    "event of a batch dropped": (_event_dropped, "the signature is not the key's"),
    "event added to a batch": (_event_added, "the signature is not the key's"),
    "unsigned batch invented in between": (_unsigned_before, "newest entry here is"),
    "entries of two authors swapped": (_reordered, "newest entry here is"),
    "old batch recorded again": (_again, "newest entry here is"),
    "old batch under another key": (_under_another_key, "the signature is not the key's"),
    "right event rejected": (_rejected, "the answer was overlap, where accepted was due"),
    "wrong event accepted": (_accepted, "the answer was accepted, where overlap was due"),
    "another reason": (_other_reason, "where overlap was due"),
    "author taken away": (_unsigned_then, "newest entry here is"),
    "ledger key of its own": (_own_ledger_key, "had not named"),
    "collector of its own": (_own_collector_key, "none of this log's"),
    "batch by a key of its own": (_own_batch, "none of this log's"),
    "key that was ended": (_ended_key, "was ended by entry"),
    "body moved from another facility": (_of_another_facility, "the signature is not the key's"),
    "recorded before the one before": (_last_recorded_early, "recorded before the entry before"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_attester__of_a_lying_service__refuses_and_says_why(site: Site, case: str) -> None:
    lie, message = REFUSED[case]

    verdict = site.verdict(lie)

    assert not verdict.signed
    assert message in str(verdict.reason), verdict.reason
    assert site.world.signatures(0) == {}


def test_two_attesters__given_two_logs__never_come_to_one_statement(site: Site) -> None:
    """One log to A, another to B: the evidence is one, and whoever has the other refuses."""

    def another(site: Site, lie: Lie) -> None:
        del lie.told[lie.named(site.rack, last=True) :]

    shown, other = site.verdict(), site.verdict(another, attester=1)

    assert shown.signed
    assert not other.signed
    assert "is not what the events give" in str(other.reason)
    assert len(site.world.signatures(0)) == 1
