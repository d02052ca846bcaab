"""The log's own key is followed by another: attesters read on, and forks are proven by both."""

from dataclasses import replace

import pytest

from api.domain.log.answers import ACCEPTED
from api.domain.log.entry import EntryKind
from api.domain.log.keys import successor_body
from api.domain.log.receipts import SignedEntry, signed_entry_of
from api.domain.log.signers import LogSigner, LogSigners
from api.errors import InvalidInput
from tests.signed_logs import Signer
from tests.unit.payloads import HOUR_S, TERMS, usage
from tests.unit.statements.signed_site import Site
from tests.unit.statements.test_refusal_files import SIGNED, _signed
from tests.unit.values import START_S

FIRST, SECOND = Signer("first"), Signer("second")


@pytest.fixture
def site() -> Site:
    """A log whose key is FIRST."""
    return Site(replace(TERMS, log_key=FIRST.public))


def _follow(site: Site, author: Signer) -> int:
    body = successor_body(SECOND.public)
    logged = site.log.add(author, EntryKind.SUCCESSOR, body, at_s=START_S + HOUR_S)
    return logged.entry.number


def test_log__whose_key_is_followed__is_read_on_and_stated(site: Site) -> None:
    number = _follow(site, Signer("first"))
    site.say(site.rack, (usage("a", 0, 0, 60), ACCEPTED))

    read = site.read()

    own = LogSigner(FIRST.public, number), LogSigner(SECOND.public)
    assert tuple(read.signers) == own
    closed = site.close()
    assert b'"kind":"successor"' in closed.files["batches.jsonl"].replace(b" ", b"")


def test_log__with_two_successors_of_one_key__is_refused(site: Site) -> None:
    """ATTACKS: the service names one successor to some and another to others."""
    first = Signer("first")
    _follow(site, first)
    site.log.add(
        first, EntryKind.SUCCESSOR, successor_body(Signer("x").public), at_s=START_S + HOUR_S
    )

    site.refused("was ended by entry")


def test_fork__by_the_keys_of_before_and_behind__is_proven() -> None:
    """ATTACKS: a service names a successor in a log that it wrote anew, and hides no fork by it:
    what its first key signed behind that entry counts all the same."""
    signers = LogSigners((LogSigner(FIRST.public, 4), LogSigner(SECOND.public)))
    fork = _signed(FIRST.key), _signed(SECOND.key, recorded_at_s=6)

    replace(SIGNED, fork=fork).require_fork(signers)
    with pytest.raises(InvalidInput, match="did not sign it"):
        replace(SIGNED, fork=(fork[0], _signed(recorded_at_s=6))).require_fork(signers)


def test_end_of_a_log__signed_by_the_key_of_then_or_now__holds(site: Site) -> None:
    _follow(site, Signer("first"))
    signers = site.read().signers
    logged = site.log.entries[1]

    for key in (FIRST, SECOND):
        signed = signed_entry_of(logged, key.key)
        assert isinstance(signed, SignedEntry)
        signed.require_signed(signers)
