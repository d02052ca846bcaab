"""Statements that are posted without an attester: it judges them, shown to it or not."""

from pathlib import Path
from typing import Any

import pytest

from api.attester.attest import Attester
from api.attester.due import DueEvidence
from api.attester.refusing import Refuser
from api.attester.shelf import RefusalShelf
from api.domain.statements.refusals import RefusalCode
from api.domain.units import Epoch, FacilityId
from api.errors import ChainUnavailable
from tests.factories import DAY_S, HOUR_S
from tests.rewriting import rewrite_log
from tests.world import World

pytestmark = pytest.mark.chain


@pytest.fixture
def posted(world: World) -> World:
    """One epoch, signed by two attesters and posted: the third was not asked."""
    world.at(DAY_S)
    world.ledger.ingest(world.ledger.usage(0, 0, 2 * HOUR_S))
    world.post(0)
    return world


def _third(world: World, folder: Path) -> Attester:
    """The third attester of the panel, which has been one since the first epoch."""
    attester = world.attester(2)
    attester._refuser = Refuser(
        attester._account,
        attester._facts,
        attester._evidence,
        RefusalShelf(folder),
        DueEvidence(world.contracts),
    )
    attester._memory.begin(FacilityId(world.facility_id), Epoch(0))
    return attester


def _dearer(event: dict[str, Any]) -> None:
    if event["type"].endswith("lease.opened.v1"):
        event["data"]["price_micros_per_gpu_hour"] += 1


def test_posted__holds__is_looked_at_once_and_nothing_is_said(
    posted: World, tmp_path: Path
) -> None:
    attester = _third(posted, tmp_path)

    assert attester.look_at_posted() == []

    rewrite_log(posted, _dearer)
    assert attester.look_at_posted() == []
    assert list(tmp_path.glob("facility-*")) == []


def test_posted__log_gives_something_else__is_refused_in_public_once(
    posted: World, tmp_path: Path
) -> None:
    """k attesters may have signed it: whoever reads this attester's list sees that it did not."""
    rewrite_log(posted, _dearer)
    attester = _third(posted, tmp_path)

    [verdict] = attester.look_at_posted()

    assert verdict.found is not None
    assert (verdict.epoch, verdict.found.code) == (0, RefusalCode.NOT_RECOMPUTED)
    assert verdict.refusal is not None
    assert (tmp_path / verdict.refusal).exists()
    assert attester.look_at_posted() == []


def test_posted__that_it_signed_itself__is_not_read_again(posted: World, tmp_path: Path) -> None:
    attester = _third(posted, tmp_path)
    statement = posted.statement(0)
    attester._memory.remember(statement)
    rewrite_log(posted, _dearer)

    assert attester.look_at_posted() == []


def test_posted__service_does_not_answer__is_looked_at_again(posted: World, tmp_path: Path) -> None:
    attester = _third(posted, tmp_path)
    log = attester._api.log

    def away(*_of: object, **_more: object) -> Any:
        raise ChainUnavailable("the service does not answer")

    attester._api.log = away  # type: ignore[method-assign]
    [verdict] = attester.look_at_posted()
    assert (verdict.signed, verdict.found, verdict.refusal) == (False, None, None)

    attester._api.log = log  # type: ignore[method-assign]
    assert attester.look_at_posted() == []


def test_posted__before_its_memory_begins__is_no_concern(posted: World, tmp_path: Path) -> None:
    """It never signed for the facility: it begins behind what is posted."""
    attester = _third(posted, tmp_path)
    attester._memory = posted.attester(2)._memory
    attester._posted._memory = attester._memory
    rewrite_log(posted, _dearer)

    assert attester.look_at_posted() == []
