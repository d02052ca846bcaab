"""What a log lost with an older copy of its database, and who may give it back: no liar."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from httpx import Response

from api.domain.log.entry import encode_entry
from api.domain.log.logged import entry_document
from api.domain.log.receipts import Receipt
from api.domain.log.signers import receipt_bytes
from api.domain.units import Address, FacilityId
from api.ledger import restoring
from api.local.key_file import load_or_make_key
from tests.copies import Copies
from tests.factories import DAY_S, HOUR_S
from tests.signing import BATCH, Author, collector_of, signing_operator
from tests.world import World

pytestmark = pytest.mark.chain
ELSEWHERE = Address("0x" + "ab" * 20)


class Lost:
    """A log that lost all that a collector sent since a copy was made."""

    def __init__(self, world: World, folder: Path) -> None:
        world.at(DAY_S)
        self.world, self.operator = world, signing_operator(world)
        self.collector = collector_of(self.operator)
        self.copies = Copies(world, folder)
        self.copies.make()

    def use(self, *hours: int) -> None:
        """Signed uses, an hour and an entry each."""
        for hour in hours:
            use = self.world.ledger.usage(0, hour * HOUR_S, (hour + 1) * HOUR_S, name=f"u{hour}")
            assert self.collector.taken(use) == ["accepted"]

    def lose(self) -> None:
        """Go back to the copy, and remember what was lost."""
        self.before = self.copies.entries()
        self.copies.restore()
        self.size = len(self.copies.entries())

    @property
    def public(self) -> dict[str, object]:
        """What anybody sees of the log."""
        answer = self.world.http.get(f"/v1/facilities/{self.world.facility_id}/log")
        found: dict[str, object] = answer.json()
        return found

    def resigned(self, receipt: Receipt, key: Ed25519PrivateKey | None = None) -> Receipt:
        """A changed receipt, signed by the log's own key or by another."""
        key = key or load_or_make_key(self.world.folder / "log-key.pem")
        return replace(receipt, signature=key.sign(receipt_bytes(receipt.entry)))

    def unsigned(self, *events: dict[str, object]) -> Response:
        """Events by an API key."""
        key = {"authorization": f"Bearer {self.world.ledger.api_key}", "content-type": BATCH}
        return self.world.http.post("/v1/events", content=orjson.dumps(events), headers=key)

    def show_lines(self, *lines: dict[str, object]) -> Response:
        """Show entries by an API key of the operator."""
        path = f"/v1/facilities/{self.world.facility_id}/log/entries"
        content = b"".join(orjson.dumps(line) + b"\n" for line in lines)
        key = {"authorization": f"Bearer {self.world.ledger.api_key}"}
        return self.world.http.post(path, content=content, headers=key)


@pytest.fixture
def lost(world: World, tmp_path: Path) -> Lost:
    """A collector's key in a log, and a copy of the database."""
    return Lost(world, tmp_path)


@pytest.mark.both_databases
def test_entries__shown_backwards__wait_and_are_the_same(lost: Lost) -> None:
    lost.use(0, 1, 2)
    lost.lose()

    states = [lost.collector.give_back(i).json()["state"] for i in (2, 1, 0, 2)]

    assert states == ["held", "held", "restored", "known"]
    assert lost.copies.entries() == lost.before
    assert lost.copies.row.log_due == lost.size + 3
    assert not lost.copies.row.behind
    lost.use(3)


def test_receipt__alone__stops_what_is_new_until_the_log_has_it(lost: Lost) -> None:
    """Shown by whoever kept it, a body or not: nothing takes the place of what is lost."""
    lost.use(0, 1)
    lost.lose()
    lost.collector.give_back(1, bare=True)

    unsigned = lost.unsigned(lost.world.ledger.usage(1, 0, HOUR_S))
    again = lost.collector.send(lost.world.ledger.usage(1, 0, HOUR_S))

    for refused in (unsigned, again):
        assert refused.status_code == 503, refused.text
        assert refused.json()["code"] == "log_behind"
        assert refused.json()["missing"] == [[lost.size + 1, lost.size + 2]]
        assert refused.headers["retry-after"] == "5"
    assert lost.public["due"] == lost.size + 2


FORGERIES: dict[str, Callable[[Lost, Receipt], Receipt]] = {
    "another key's": lambda lost, r: lost.resigned(r, Ed25519PrivateKey.generate()),
    "of nobody": lambda lost, r: replace(r, signature=bytes(64)),
    "another second": lambda lost, r: replace(r, entry=replace(r.entry, recorded_at_s=1)),
    "another facility": lambda lost, r: lost.resigned(
        replace(r, entry=replace(r.entry, log=replace(r.entry.log, facility_id=FacilityId(9))))
    ),
    "another chain": lambda lost, r: lost.resigned(
        replace(r, entry=replace(r.entry, log=replace(r.entry.log, chain_id=5)))
    ),
    "another registry": lambda lost, r: lost.resigned(
        replace(r, entry=replace(r.entry, log=replace(r.entry.log, registry=ELSEWHERE)))
    ),
    "other answers": lambda lost, r: replace(r, answers=b"\x01"),
}  # fmt: skip


@pytest.mark.parametrize("name", FORGERIES)
def test_receipt__forged__changes_nothing(lost: Lost, name: str) -> None:
    """Only the log's own key says what the log had: nobody else stalls it."""
    lost.use(0)
    lost.lose()
    forged = FORGERIES[name](lost, lost.collector.receipts[0])

    answer = lost.collector.show(forged, bare=True)

    assert answer.status_code == 401, answer.text
    assert lost.public["due"] == 0
    lost.collector.give_back(0)
    assert lost.copies.entries() == lost.before


def test_body__of_another_receipt__is_refused(lost: Lost) -> None:
    lost.use(0, 1)
    lost.lose()
    first = lost.collector.receipts[0]
    hashes = [*lost.collector.sent]
    lost.collector.sent = dict(zip(hashes, reversed(lost.collector.sent.values()), strict=True))

    answer = lost.collector.show(first)

    assert answer.status_code == 422
    assert "its body is another" in answer.json()["detail"]
    assert lost.copies.row.log_size == lost.size


def test_body__larger_than_any__is_refused(lost: Lost) -> None:
    lost.use(0)
    lost.lose()
    packed = {"packed": "A" * (8 << 20), "request": {}}

    answer = lost.collector.show_raw(lost.collector.receipts[0], orjson.dumps(packed))

    assert answer.status_code == 413


@pytest.mark.parametrize("ahead", [False, True])
def test_receipts__two_of_one_number__are_a_fork_and_nothing_waits_for_it(
    lost: Lost, ahead: bool
) -> None:
    """The log's key signed both. It is shown, never merged, and stalls nothing for ever."""
    lost.use(0, 1)
    lost.lose()
    receipt = lost.collector.receipts[1 if ahead else 0]
    other = lost.resigned(replace(receipt, entry=replace(receipt.entry, recorded_at_s=2**40)))

    lost.collector.give_back(1)
    forked = [lost.collector.show(other, bare=True)]
    lost.collector.give_back(0)
    forked.append(lost.collector.show(other, bare=True))

    # Before the log has one of that number, two receipts alone do not say which is its own.
    assert [answer.status_code for answer in forked] == [409 if ahead else 200, 409]
    assert forked[1].json()["code"] == "log_forked"
    assert forked[1].json()["shown"]["entry"] == "0x" + encode_entry(other.entry).hex()
    assert lost.copies.entries() == lost.before
    forks = lost.public["forks"]
    assert isinstance(forks, list)
    assert [fork["entry"] for fork in forks] == ["0x" + encode_entry(other.entry).hex()]
    lost.use(2)


def test_entry__unsigned__comes_back_once_one_behind_it_names_it(lost: Lost) -> None:
    """Nobody has its receipt; an attester's copy has it, and the next entry its hash."""
    lost.use(0)
    ledger = lost.world.ledger
    uses = ledger.usage(1, 0, HOUR_S, name="a"), ledger.usage(0, 5 * HOUR_S, 6 * HOUR_S, name="b")
    assert lost.unsigned(*uses).json()["accepted"] == 2
    lost.use(1)
    lost.lose()
    unsigned = entry_document(lost.before[-2])

    [alone] = lost.show_lines(unsigned).json()
    lost.collector.give_back(1)
    lost.collector.give_back(0)
    [named] = lost.show_lines(unsigned).json()

    assert (alone["state"], alone["code"]) == ("refused", "entry_refused")
    assert "no entry that it signed names its hash" in alone["detail"]
    assert (named["state"], named["missing"]) == ("restored", [])
    assert lost.copies.entries() == lost.before
    lost.use(2)


@pytest.mark.both_databases
def test_epoch__closed_before_its_entries_came_back__is_taken_back(lost: Lost) -> None:
    """A worker is quicker than agents. Nobody signed it yet, so it is closed again, whole."""
    lost.use(0, 1)
    lost.lose()
    lost.world.at_cut_off(0)
    lost.world.round()
    hasty = lost.world.statement(0)
    lost.collector.give_back(1)
    lost.collector.give_back(0)
    assert lost.copies.entries() == lost.before

    lost.world.post(0)

    whole = lost.world.statement(0)
    assert whole.billed_gpu_seconds == hasty.billed_gpu_seconds + 2 * HOUR_S
    report = lost.world.verify()
    assert report.ok, report.findings


def test_epoch__closed_and_signed_without_an_entry__stays_and_it_is_said(lost: Lost) -> None:
    """Whoever signs two statements of one epoch is charged for it: only a person goes on."""
    lost.use(0)
    lost.lose()
    lost.world.at_cut_off(0)
    lost.world.round()
    assert all(verdict.signed for verdict in lost.world.attest())

    answer = lost.collector.give_back(0).json()

    assert answer["state"] == "held"
    assert "somebody signed that" in answer["detail"]
    assert lost.copies.row.behind
    given_up = restoring.give_up(lost.world.engine, lost.world.facility_id)
    assert given_up == 1
    again = lost.collector.give_back(0)
    assert (again.status_code, again.json()["code"]) == (409, "entry_refused")
    assert not lost.copies.row.behind
    shown = lost.public["given_up"]
    assert isinstance(shown, list)
    assert [entry["number"] for entry in shown] == [lost.size + 1]


def test_log__behind_its_published_statement__closes_and_takes_nothing(lost: Lost) -> None:
    """Evidence is no part of the database: what is published says how far the log was."""
    lost.use(0)
    lost.world.at_cut_off(0)
    lost.world.round()
    first = lost.world.statement(0)
    lost.lose()

    done = lost.world.worker().run_once()
    answer = lost.collector.send(lost.world.ledger.usage(1, 0, HOUR_S))

    assert [failed.epoch for failed in done.not_closed] == [0]
    assert "restored from an older copy" in done.not_closed[0].reason
    assert answer.json()["code"] == "log_behind"
    lost.collector.give_back(0)
    lost.world.post(0)
    assert lost.world.statement(0) == first


def test_keys__that_the_log_lost__come_back_by_the_ledger_key(lost: Lost) -> None:
    other = Author(lost.world)
    lost.operator.bring(other, name="rack-2")
    use = lost.world.ledger.usage(1, 0, HOUR_S)
    assert other.taken(use) == ["accepted"]
    lost.operator.end(other)
    lost.lose()

    for author, index in ((other, 0), (lost.operator, -1), (lost.operator, -2)):
        author.give_back(index)

    assert lost.copies.entries() == lost.before
    assert other.send(use).json()["code"] == "key_unknown"
