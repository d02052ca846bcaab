"""The agent follows the log's key: it believes a new one that the one before names, no other."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from api.agent.failures import LogRefused
from api.domain.log.answers import ACCEPTED
from api.domain.log.authors import PATHS
from api.domain.log.bodies import pack
from api.domain.log.entry import EntryKind
from api.domain.log.keys import successor_body
from api.domain.log.logged import LoggedEntry, entry_document
from api.domain.log.receipts import Receipt
from api.domain.log.requests import key_text, read_request, sign_request
from api.domain.units import ZERO32
from tests.unit.agent.desk import open_spool
from tests.unit.agent.signed_log import (
    BLIND,
    Clock,
    SignedLog,
    Signing,
    accepted,
    answer,
    raw_key,
)


@dataclass
class RotatedLog(SignedLog):
    """A log whose key is followed by others."""

    first: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    successors: list[LoggedEntry] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.key = self.first

    def said(self, facility: int) -> bytes:
        document = orjson.loads(super().said(facility))
        document["log_key"] = key_text(raw_key(self.first))
        document["successors"] = [entry_document(each) for each in self.successors]
        return orjson.dumps(document)

    def follow(self, author: Ed25519PrivateKey | None = None) -> Receipt:
        """Another key signs from here on, named by the one before, or by somebody."""
        new, path = Ed25519PrivateKey.generate(), PATHS[EntryKind.SUCCESSOR]
        body, key = successor_body(raw_key(new)), author or self.key
        values: dict[str, Any] = {"path": path, "content_type": "application/json", "body": body}
        headers = sign_request(key, **values, log=self.name, after=ZERO32, created_s=1)
        receipt = self.take(body, raw_key(key), kind=EntryKind.SUCCESSOR)
        request = read_request(headers, path=path)
        answers = bytes([ACCEPTED])
        self.successors.append(LoggedEntry(receipt.entry, BLIND, pack(body), answers, request))
        self.key = new
        return receipt


@pytest.fixture
def log() -> RotatedLog:
    return RotatedLog()


@pytest.fixture
def signing(tmp_path: Path, log: RotatedLog) -> Signing:
    """An agent that has heard of the log's first key."""
    signing = Signing(open_spool(tmp_path), log, Clock(1_000))
    signing.signer().log(1)
    return signing


def _taken(signing: Signing) -> Receipt:
    """A body that the log took: its receipt, as the agent believes it."""
    receipt = signing.log.take(b"[{}]", signing.public)
    signing.signer().receipt(signing.flight(), answer(receipt), accepted())
    return receipt


def test_receipt__by_a_key_that_the_one_before_named__is_believed(
    signing: Signing, log: RotatedLog
) -> None:
    for _ in range(2):
        log.follow()
        _taken(signing)

    asked = log.asked
    _taken(signing)
    assert log.asked == asked  # what was believed is pinned


def test_receipt__behind_the_end_of_its_key__is_refused(signing: Signing, log: RotatedLog) -> None:
    """ATTACKS: whoever has the old key gives receipts for another log."""
    old = log.key
    log.follow()
    _taken(signing)
    log.key = old

    with pytest.raises(LogRefused, match="which entry 1 replaced by another"):
        _taken(signing)


def test_receipt__by_a_key_that_nobody_named__is_refused(signing: Signing, log: RotatedLog) -> None:
    log.key = Ed25519PrivateKey.generate()

    with pytest.raises(LogRefused, match="did not sign it"):
        _taken(signing)


def test_receipt__by_a_key_that_a_stranger_named__is_refused(
    signing: Signing, log: RotatedLog
) -> None:
    log.follow(Ed25519PrivateKey.generate())

    with pytest.raises(LogRefused, match=r"and the log's key .* did not"):
        _taken(signing)


def test_receipt__by_a_key_of_the_ledger_key__is_believed_once_the_settings_name_it(
    signing: Signing, log: RotatedLog
) -> None:
    """Which ledger key the operator's address names, only who asks the chain can see."""
    log.follow(Ed25519PrivateKey.generate())
    signing.pinned = key_text(raw_key(log.key))

    _taken(signing)
    log.follow()
    _taken(signing)


def test_log__whose_first_key_is_another_now__is_refused(signing: Signing, log: RotatedLog) -> None:
    """A service does not begin its chain of keys anew for an agent that knows it."""
    log.first = log.key = Ed25519PrivateKey.generate()

    with pytest.raises(LogRefused, match="which does not lead to it"):
        _taken(signing)


def test_log__of_settings_that_name_a_later_key__is_believed_from_that_on(
    tmp_path: Path, log: RotatedLog
) -> None:
    """Whoever makes up the keys before it signs nothing that the agent believes."""
    old = log.key
    log.follow()
    fresh = Signing(open_spool(tmp_path), log, Clock(1_000))
    fresh.pinned = key_text(raw_key(log.key))

    _taken(fresh)
    log.key = old
    with pytest.raises(LogRefused, match="did not sign it"):
        _taken(fresh)
    fresh.pinned = key_text(raw_key(Ed25519PrivateKey.generate()))
    with pytest.raises(LogRefused, match="the settings say"):
        _taken(fresh)
