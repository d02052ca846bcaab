"""An attester without memory: it goes on behind everything that shows what it may have signed."""

from pathlib import Path

import pytest
from sqlalchemy import delete

from api.attester.attest import Attester
from api.attester.memory import SignedMemory
from api.db.session import transaction
from api.db.tables.statements import attestations
from api.errors import EvidenceUnreachable
from tests.factories import DAY_S, HOUR_S
from tests.world import World

pytestmark = pytest.mark.chain


def _fresh(world: World, number: int, file: Path) -> Attester:
    attester = world.attester(number)
    attester._memory = SignedMemory(file, world.bound(number))
    return attester


def _close_two(world: World) -> None:
    """Two epochs that are closed, and not posted."""
    ledger = world.ledger
    world.at(DAY_S)
    ledger.ingest(ledger.usage(0, 0, 2 * HOUR_S))
    world.at_cut_off(0)
    world.round()
    ledger.ingest(ledger.usage(0, DAY_S, DAY_S + HOUR_S))
    world.at_cut_off(1)
    world.round()


def test_attest__without_memory__signs_only_behind_the_newest_posted(
    world: World, tmp_path: Path
) -> None:
    world.at(DAY_S)
    world.post(0)
    world.at_cut_off(1)
    world.round()

    attester = _fresh(world, 2, tmp_path / "memory")
    first, second = attester.run_once()
    attester._memory.close()

    assert (first.epoch, first.signed, second.epoch, second.signed) == (0, False, 1, True)
    assert "begins at epoch 1" in str(first.reason)


def test_attest__memory_lost_after_a_published_signature__signs_behind_it(
    world: World, tmp_path: Path
) -> None:
    """Also where the service asks for it again, as one does that lost its database."""
    _close_two(world)
    before = _fresh(world, 0, tmp_path / "before")
    before.run_once()
    before._memory.close()
    with transaction(world.engine) as connection:
        connection.execute(delete(attestations))
    world.ledger.ingest(world.ledger.usage(0, 2 * DAY_S, 2 * DAY_S + HOUR_S))
    world.at_cut_off(2)
    world.round()

    after = _fresh(world, 0, tmp_path / "after")
    verdicts = after.run_once()
    again = after.run_once()
    after._memory.close()

    assert [(v.epoch, v.signed) for v in verdicts] == [(0, False), (1, False), (2, True)]
    assert "begins at epoch 2" in str(verdicts[0].reason)
    assert [(v.epoch, v.signed) for v in again] == [(0, False), (1, False)]


def test_attest__memory_is_there__signs_what_was_posted_without_it(
    world: World, tmp_path: Path
) -> None:
    """A late signature: nobody has to guess whether there is a rival."""
    world.at(DAY_S)
    world.ledger.ingest(world.ledger.usage(0, 0, HOUR_S))
    file = tmp_path / "memory"
    begun = _fresh(world, 2, file)
    world.at_cut_off(0)
    world.round()
    begun._require_begun(world.facility_id, 0)  # type: ignore[arg-type]
    begun._memory.close()
    assert all(v.signed for v in world.attest())
    world.round()
    assert world.posted == 1

    late = _fresh(world, 2, file)
    (verdict,) = late.run_once()
    late._memory.close()

    assert verdict.signed


def test_attest__nobody_can_tell_what_was_published__begins_nowhere(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _close_two(world)
    attester = _fresh(world, 0, tmp_path / "memory")

    def away(path: str) -> bytes:
        raise EvidenceUnreachable("no answer", path=path)

    with monkeypatch.context() as patch:
        patch.setattr(attester._evidence, "read", away)
        verdicts = attester.run_once()
    begun = attester._memory.begun(world.facility_id)  # type: ignore[arg-type]
    after = attester.run_once()
    attester._memory.close()

    assert [v.signed for v in verdicts] == [False, False]
    assert begun is None
    assert [v.signed for v in after] == [True, True]
