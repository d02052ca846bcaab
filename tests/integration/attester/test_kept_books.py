"""An attester that restarts goes on in the log where it was; what does not hold is read anew."""

from pathlib import Path
from typing import Any

import pytest

from api.attester.attest import Attester
from api.attester.kept_books import KeptBooks
from tests.factories import DAY_S, HOUR_S
from tests.world import World

pytestmark = pytest.mark.chain


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where books are kept."""
    return tmp_path / "books"


def _restarted(world: World, folder: Path, asked: list[int]) -> Attester:
    """An attester like a new process, which notes from where on it reads the log."""
    attester = world.attester(0, books=KeptBooks(folder))
    log = attester._api.log

    def watched(facility_id: int, *, after: int) -> Any:
        asked.append(after)
        return log(facility_id, after=after)

    attester._api.log = watched  # type: ignore[method-assign]
    return attester


def _two_epochs(world: World, folder: Path) -> int:
    """The first epoch is posted and signed by an attester with books; the second is closed.

    Returns: entries of the log when the first was signed.
    """
    ledger = world.ledger
    world.at(DAY_S)
    ledger.ingest(ledger.usage(0, 0, 2 * HOUR_S))
    world.at_cut_off(0)
    world.round()
    asked: list[int] = []
    assert all(v.signed for v in _restarted(world, folder, asked).run_once())
    assert asked[0] == 0
    assert all(v.signed for v in world.attester(1).run_once())
    world.round()
    size = world.http.get(f"/v1/facilities/{world.facility_id}/log").json()["size"]
    world.at(2 * DAY_S)
    ledger.ingest(ledger.usage(0, DAY_S, DAY_S + HOUR_S))
    world.at_cut_off(1)
    world.round()
    return int(size)


def test_restart__books_are_kept__reads_on_behind_them(world: World, folder: Path) -> None:
    size = _two_epochs(world, folder)
    asked: list[int] = []

    verdicts = _restarted(world, folder, asked).run_once()

    assert [v.signed for v in verdicts] == [True]
    assert asked == [size]


@pytest.mark.parametrize("head", [b"rentroll 0.0.1 books 1\n", None])
def test_restart__books_spoilt_or_of_another_version__reads_from_the_first_entry(
    world: World, folder: Path, head: bytes | None
) -> None:
    _two_epochs(world, folder)
    [file] = folder.iterdir()
    whole = file.read_bytes()
    half = whole[: len(whole) // 2]
    file.write_bytes(half if head is None else head + whole.split(b"\n", 1)[1])
    asked: list[int] = []

    verdicts = _restarted(world, folder, asked).run_once()

    assert [v.signed for v in verdicts] == [True]
    assert asked == [0]


def test_restart__books_that_contradict_the_log__are_dropped_and_read_anew(
    world: World, folder: Path
) -> None:
    """Books of a mistake cost a second look, and no refusal for ever."""
    size = _two_epochs(world, folder)
    kept = KeptBooks(folder)
    books = kept.load(world.facility_id)
    assert books is not None
    books.rebuilt.books.follows = type(books.rebuilt.books.follows)()
    kept.keep(world.facility_id, books)
    asked: list[int] = []
    attester = _restarted(world, folder, asked)

    first, again = attester.run_once(), attester.run_once()

    assert [v.signed for v in first] == [False]
    assert [v.signed for v in again] == [True]
    assert asked == [size, 0]


def test_keep__without_room__stops_nothing(world: World, folder: Path) -> None:
    """A folder that takes no file: the next start reads from the first entry."""
    kept = KeptBooks(folder)
    folder.rmdir()
    folder.write_bytes(b"")

    kept.keep(world.facility_id, None)  # type: ignore[arg-type]

    assert kept.load(world.facility_id) is None


def test_files__of_books__are_their_owners_alone(world: World, folder: Path) -> None:
    _two_epochs(world, folder)

    assert folder.stat().st_mode & 0o077 == 0
    assert all(file.stat().st_mode & 0o077 == 0 for file in folder.iterdir())
