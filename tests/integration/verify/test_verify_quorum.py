"""A dishonest quorum posts what agrees with itself: each forgery is found, by its rule."""

from collections.abc import Iterator

import pytest

from api.db.migrate import upgrade
from api.db.session import open_engine
from tests.factories import DAY_S, GRACE_S, HOUR_S
from tests.forged_facts import FACTS, TOLD, Case, honest
from tests.forged_lines import FILES, LINES, STATEMENTS
from tests.forgers import Quorum
from tests.story import first_epoch, second_epoch
from tests.world import Deployed, World

pytestmark = pytest.mark.chain


@pytest.fixture(scope="module")
def quorum(deployed: Deployed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Quorum]:
    """Two honest epochs; the cut-off of the third is past."""
    folder = tmp_path_factory.mktemp("quorum")
    engine = open_engine(f"sqlite:///{folder}/rentroll.db")
    upgrade(engine)
    world = World(engine, folder, deployed)
    first_epoch(world)
    world.at(2 * DAY_S)
    delivered = world.ledger.usage(3, DAY_S, DAY_S + HOUR_S, lease="lease-b", kind="delivery")
    world.ledger.ingest(delivered)
    second_epoch(world)
    world.at(3 * DAY_S + GRACE_S)
    assert world.verify().findings == ()
    yield Quorum(world, 2)
    world.close()
    engine.dispose()


CASES = TOLD + FACTS + LINES + STATEMENTS + FILES


def test_verify__honest_quorum__finds_nothing(quorum: Quorum) -> None:
    with quorum.posted(honest(quorum)):
        report = quorum.world.verify()

    assert [f.sentence() for f in report.findings] == []
    assert report.statements == 3


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_verify__dishonest_quorum__is_found_and_named(quorum: Quorum, case: Case) -> None:
    """ATTACKS 21: consistent, signed, posted, and wrong."""
    with quorum.posted(case.make(quorum)):
        report = quorum.world.verify()

    found = [f for f in report.findings if f.code == case.code]
    assert found, [(f.code, f.sentence()) for f in report.findings]
    for finding in found:
        assert (finding.facility_id, finding.epoch) == (quorum.facility_id, 2)
        assert finding.file is not None
        assert finding.block is not None
