"""A dishonest quorum makes up who signed: the public finds it, by two verifiers."""

import random
from collections.abc import Iterator

import pytest

from api.db.migrate import upgrade
from api.db.session import open_engine
from api.domain.log.receipts import receipt_of
from api.local.key_file import load_or_make_key
from api.verify.receipts import ShownReceipt
from tests import forged_authors
from tests.factories import DAY_S, GRACE_S, HOUR_S
from tests.forged_authors import CASES, Authors, Case
from tests.forgers import Quorum
from tests.published import Published
from tests.signed_logs import SignedLog, Signer
from tests.signing import Author, collector_of, name_on_chain, signing_operator
from tests.world import Deployed, World

pytestmark = pytest.mark.chain


def _signer(author: Author, name: str) -> Signer:
    """A key of the world, in the hands of who forges."""
    return Signer(name, author.after, author.key)


class Site:
    """Two honest epochs of signed entries, and who may forge the third."""

    def __init__(self, world: World) -> None:
        world.at(DAY_S)
        operator = signing_operator(world)
        self.rack, gone = collector_of(operator), collector_of(operator, name="rack-2")
        assert operator.taken(world.ledger.terms("signed", 1, 0)) == ["accepted"]
        for each in (self.rack, gone):
            assert each.send().status_code == 200
        use = world.ledger.usage(0, 0, HOUR_S, lease="signed")
        assert self.rack.taken(use) == ["accepted"]
        assert operator.end(gone).status_code == 200
        world.post(0)
        world.at(2 * DAY_S)
        use = world.ledger.usage(1, DAY_S, DAY_S + HOUR_S, lease="signed")
        assert self.rack.taken(use) == ["accepted"]
        world.post(1)
        self.successor = Author(world)
        name_on_chain(world, self.successor.public)
        self.named_s = world.clock()
        world.at(3 * DAY_S + GRACE_S)
        self.world, self.operator, self.gone = world, operator, gone
        self.quorum = Quorum(world, 2)

    def authors(self) -> Authors:
        """Their keys, as of the honest log."""
        return Authors(
            _signer(self.operator, "ledger"),
            _signer(self.successor, "successor"),
            _signer(self.rack, "rack-1"),
            _signer(self.gone, "rack-2"),
            self.named_s,
            Signer("log", key=load_or_make_key(self.world.folder / "log-key.pem")),
        )

    def log(self) -> SignedLog:
        """A log behind the honest one."""
        return self.quorum.signed_log()


@pytest.fixture(scope="module")
def site(deployed: Deployed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A world of its own for the module."""
    folder = tmp_path_factory.mktemp("authors")
    engine = open_engine(f"sqlite:///{folder}/rentroll.db")
    upgrade(engine)
    world = World(engine, folder, deployed)
    site = Site(world)
    assert world.verify().findings == ()
    yield site
    world.close()
    engine.dispose()


def test_verify__honest_authors__finds_nothing(site: Site) -> None:
    with site.quorum.posted(forged_authors.honest(site.quorum, site.authors(), site.log())):
        report = site.world.verify()

    assert [f.sentence() for f in report.findings] == []
    assert report.statements == 3


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_verify__forged_authors__are_found_by_both(site: Site, case: Case) -> None:
    """Consistent, signed by k attesters, posted: not by who may sign."""
    with site.quorum.posted(case.make(site.quorum, site.authors(), site.log())):
        report, again = site.world.verify(), site.world.verify_again()

    found = [f for f in report.findings if f.code == case.code]
    assert found, [(f.code, f.sentence()) for f in report.findings]
    assert any(case.message in f.message for f in found), [f.message for f in found]
    for finding in found:
        assert (finding.facility_id, finding.epoch) == (site.quorum.facility_id, 2)
        assert finding.file is not None
    assert any("epoch-00002" in sentence for sentence in again)


def test_verify__one_byte_of_entries_about_keys_changed__names_the_file(site: Site) -> None:
    """ATTACKS 21, 60: bodies, blinds, signatures and all that was signed."""
    published = Published(site.world)
    path = f"facility-{published.facility_id}/epoch-00000/batches.jsonl"
    data = published.files[path]
    assert b'"kind":"key-end"' in data
    rng, missed = random.Random(13), []
    for position in sorted(rng.sample(range(len(data)), 60)):
        other = rng.choice(sorted({*b"0aA=/+ ", data[position] ^ 0x20} - {data[position]}))
        changed = data[:position] + bytes([other]) + data[position + 1 :]
        if path not in [f.file for f in published.verify({path: changed}).findings]:
            missed.append((position, other))

    assert missed == []


def test_verify__batch_made_up_for_a_collector__shows_by_its_receipts_alone(site: Site) -> None:
    """Its body is not public: k attesters and a service can say that a collector signed it. Who
    keeps the collector's receipts has none of it."""
    log, authors = site.log(), site.authors()
    own = [ShownReceipt(r, f"r{n}.json") for n, r in enumerate(site.rack.receipts)]
    forged = forged_authors.by(site.quorum, authors.rack, log)
    with site.quorum.posted(site.quorum.close_over(log, forged)):
        report = site.world.verify(receipts=own)

    assert report.ok
    [warning] = [w for w in report.warnings if w.code == "receipt_lacking"]
    assert "has 1 more entries of key" in warning.message


@pytest.mark.parametrize("shown", ["another", "none"])
def test_verify__entry_receipted_and_not_shown__is_a_fork_or_an_omission(
    site: Site, shown: str
) -> None:
    """The service gave a collector its receipt, and k attesters a log without that entry."""
    told, public = site.log(), site.log()
    forged_authors.by(site.quorum, site.authors().rack, told)
    receipt = receipt_of(told.entries[-1], load_or_make_key(site.world.folder / "log-key.pem"))
    facts = []
    if shown == "another":
        facts = [forged_authors.by(site.quorum, site.authors().rack, public, at_s=told_s(told) + 1)]
    with site.quorum.posted(site.quorum.close_over(public, *facts)):
        report = site.world.verify(receipts=[ShownReceipt(receipt, "kept.json")])

    [finding] = report.findings
    assert finding.code == ("receipt_fork" if shown == "another" else "receipt_omitted")
    assert (finding.file, finding.facility_id) == ("kept.json", site.quorum.facility_id)


def told_s(log: SignedLog) -> int:
    """Recorded second of a log's newest entry."""
    return log.entries[-1].entry.recorded_at_s
