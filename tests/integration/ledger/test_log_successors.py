"""The log's key is followed by another: receipts, attesters, restored copies, and lost keys."""

from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from api.cli.log_wiring import Rotated, rotate_key
from api.domain.log.keys import successor_body
from api.domain.log.receipts import Receipt
from api.domain.log.requests import key_from, key_text
from api.domain.log.signers import LogSigners, only, receipt_bytes, shown_successors
from api.errors import KeyForbidden, Misconfigured
from api.ledger.recorder import Log
from api.ledger.rotating import name_successor
from api.local.key_file import load_or_make_key
from api.local.log_keys import LogKeyFiles
from api.routes.service import service_of
from api.verify.receipts import ShownReceipt
from tests.factories import HOUR_S
from tests.integration.ledger.test_lost_entries import Lost
from tests.signing import Author, name_on_chain, raw_key
from tests.world import World

pytestmark = pytest.mark.chain


class Rotating(Lost):
    """A log, a copy of its database, and the files of its keys."""

    def __init__(self, world: World, folder: Path) -> None:
        super().__init__(world, folder)
        self.file = world.folder / "log-key.pem"
        self.first = load_or_make_key(self.file)

    def rotate(self) -> Rotated:
        """`rentroll log rotate-key`, where the service is."""
        return rotate_key(self.world.settings(), self.world.facility_id)

    @property
    def log(self) -> Log:
        """Where the service records."""
        return service_of(self.world.app).log

    @property
    def signers(self) -> LogSigners:
        """The keys of the log, as anybody follows them from its first."""
        signers = only(raw_key(self.first))
        for logged in shown_successors(self.public):
            signers = signers.followed(
                logged, log=self.collector.log, believes=lambda _author, _key: True
            )
        return signers

    def lose_key(self) -> Ed25519PrivateKey:
        """The file of the log's key is gone; returns the one that takes its place."""
        self.file.unlink()
        return LogKeyFiles(self.file).key

    def name(self, author: Author, key: Ed25519PrivateKey) -> int:
        """Somebody names a key for the log, over HTTP. Returns the status."""
        body = successor_body(raw_key(key))
        return author.post("/v1/log/successor", body, bearer=True).status_code


@pytest.fixture
def log(world: World, tmp_path: Path) -> Rotating:
    return Rotating(world, tmp_path)


@pytest.mark.both_databases
def test_rotated__log__gives_receipts_by_the_new_key(log: Rotating) -> None:
    """No receipt is missing between: entries before hold by the first, those behind by the next."""
    log.use(0)
    done = log.rotate()
    log.use(1)
    again = log.rotate()
    log.use(2)

    before, between, behind = log.collector.receipts
    signers = log.signers
    for receipt in (before, between, behind):
        receipt.require_signed(signers)
    assert [signer.until for signer in signers] == [done.entry, again.entry, None]
    assert [key_text(s.key) for s in signers] == [
        *(key_text(raw_key(log.first)), done.key, again.key)
    ]
    assert log.public["signs"] == again.key == key_text(raw_key(load_or_make_key(log.file)))
    assert len({signers.signer_of(r.entry, r.signature) for r in (before, between, behind)}) == 3
    keys = log.world.http.get(
        f"/v1/facilities/{log.world.facility_id}/log/keys",
        headers={"authorization": f"Bearer {log.world.ledger.api_key}"},
    ).json()
    assert [k["ended"] for k in keys if k["role"] == "log"] == [done.entry, again.entry, None]


def test_rotated__log__is_signed_verified_and_settled_as_any(log: Rotating) -> None:
    """Attesters read on over the entry, and ask for signed ends; both verifiers find nothing."""
    log.use(0)
    log.rotate()
    log.use(1)
    log.world.post(0)
    log.rotate()
    log.use(2)

    report = log.world.verify(receipts=_shown(*log.collector.receipts))

    assert [f.sentence() for f in report.findings] == []
    codes = [w.code for w in report.warnings if w.code.startswith("receipt")]
    assert codes == ["receipt_key_newer"]


def test_old_key__behind_its_end__proves_a_fork_and_stalls_nothing(log: Rotating) -> None:
    """ATTACKS: whoever has the old key makes up receipts: of entries that would come, and of others
    than the log has."""
    log.use(0)
    log.rotate()
    log.use(1)
    log.world.post(0)
    newest = log.collector.receipts[-1]
    ahead = _changed(newest, log.first, number=newest.entry.number + 9)
    other = _changed(newest, log.first, recorded_at_s=newest.entry.recorded_at_s + 1)

    answers = [log.collector.show(each, bare=True) for each in (ahead, other)]

    assert [a.status_code for a in answers] == [409, 409], [a.text for a in answers]
    assert {a.json()["code"] for a in answers} == {"log_forked"}
    assert (log.public["due"], log.public["missing"]) == (0, [])
    assert len(log.public["forks"]) == 2  # type: ignore[arg-type]
    log.use(2)
    found = log.world.verify(receipts=_shown(other)).findings
    assert {f.code for f in found} == {"receipt_fork"}


def test_key__named_by_who_has_the_old_one__is_no_key_of_the_log(log: Rotating) -> None:
    """ATTACKS: a second successor of one key."""
    log.rotate()
    thief, again = Author(log.world, log.first), Author(log.world, log.first)

    # The same request again is no second one.
    assert log.name(again, load_or_make_key(log.file)) == 200
    LogKeyFiles(log.file).retire()
    assert log.name(thief, LogKeyFiles(log.file).key) == 401
    assert log.name(thief, Ed25519PrivateKey.generate()) == 403
    assert [s.until is None for s in log.signers] == [False, True]


def test_successor__that_the_service_has_not__is_refused(log: Rotating) -> None:
    """ATTACKS: a stolen ledger key hands the log to its thief."""
    assert log.name(log.operator, Ed25519PrivateKey.generate()) == 403
    assert log.name(log.operator, load_or_make_key(log.file)) == 403
    assert log.name(log.collector, load_or_make_key(log.file)) == 403
    assert len(log.signers.signers) == 1


def test_lost_key__is_followed_by_the_one_that_the_ledger_key_names(log: Rotating) -> None:
    log.use(0)
    new = log.lose_key()
    with pytest.raises(Misconfigured, match=f"ledger-key log-key 1 {key_text(raw_key(new))}"):
        log.rotate()
    use = log.world.ledger.usage(1, 0, HOUR_S)
    assert log.collector.send(use).json()["code"] == "misconfigured"

    assert log.name(log.operator, new) == 200
    log.use(1)

    for receipt in (log.operator.receipts[-1], *log.collector.receipts):
        receipt.require_signed(log.signers)
    assert log.signers.present == raw_key(new)
    log.world.post(0)
    assert [f.sentence() for f in log.world.verify().findings] == []


def test_ledger_key__names_no_other_while_the_key_is_there(log: Rotating) -> None:
    files = LogKeyFiles(log.file)
    files.retire()

    assert log.name(log.operator, files.key) == 403
    with pytest.raises(KeyForbidden, match="was one of this log's before"):
        name_successor(log.log, log.world.facility_id, log.first)


def test_copy_of_before_the_rotation__is_given_back_what_followed(log: Rotating) -> None:
    """ATTACKS: a database restored from before: the key of then signs no other entry there."""
    log.use(0)
    done = log.rotate()
    log.use(1, 2)
    log.lose()

    states = [log.collector.give_back(i).json()["state"] for i in (2, 0, 1)]
    assert log.public["missing"] == [[done.entry, done.entry]]
    use = log.world.ledger.usage(1, 0, HOUR_S)
    assert log.collector.send(use).json()["code"] == "log_behind"
    again = log.rotate()

    assert states == ["held", "restored", "held"]
    assert (again.again, again.entry, again.key) == (True, done.entry, done.key)
    assert log.copies.entries() == log.before
    assert not log.copies.row.behind
    assert key_from(done.key) == log.signers.present
    log.use(3)
    log.collector.receipts[-1].require_signed(log.signers)


def test_copy_of_before__without_the_first_key__is_given_back_all(log: Rotating) -> None:
    """The key that followed signs receipts of entries before it, as far as they are shown."""
    log.use(0)
    log.rotate()
    log.use(1)
    log.lose()
    for file in log.file.parent.glob("log-key-*.pem"):
        file.unlink()

    log.collector.give_back(1)
    log.rotate()
    state = log.collector.give_back(0).json()

    assert (state["size"], state["missing"]) == (len(log.before), []), state
    assert log.copies.entries() == log.before


def _changed(receipt: Receipt, key: Ed25519PrivateKey, **changes: int) -> Receipt:
    entry = replace(receipt.entry, **changes)  # type: ignore[arg-type]
    return replace(receipt, entry=entry, signature=key.sign(receipt_bytes(entry)))


def _shown(*receipts: Receipt) -> list[ShownReceipt]:
    return [ShownReceipt(each, f"r{n}.json") for n, each in enumerate(receipts)]


def test_lost_key__of_a_ledger_key_that_is_new_to_the_log__is_followed_all_the_same(
    log: Rotating,
) -> None:
    """It brings itself first: nobody but the key that it names next can sign that receipt."""
    new, ledger = log.lose_key(), Author(log.world)
    name_on_chain(log.world, ledger.public)

    assert ledger.bring_itself().status_code == 200
    assert log.name(ledger, new) == 200
    log.use(0)

    for receipt in (*ledger.receipts, *log.collector.receipts):
        receipt.require_signed(log.signers)
