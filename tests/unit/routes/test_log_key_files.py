"""Files of log keys: the newest, and those of before; another process may put one there."""

from pathlib import Path

import pytest

from api.errors import Conflict
from api.local.key_file import make_key_file, read_key_file
from api.local.log_keys import LogKeyFiles
from api.local.secret_file import KeyFileWrong


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log-key.pem"


def test_key__retired__stays_beside_the_one_that_is_made_next(path: Path) -> None:
    files, other = LogKeyFiles(path), LogKeyFiles(path)
    first = other.public

    kept = files.retire()

    assert kept.parent == path.parent
    assert kept.name.startswith("log-key-")
    assert files.public == other.public != first
    for each in (files, other, LogKeyFiles(path)):
        assert list(each.held()) == [files.public, first]
        found = each.of(first)
        assert found is not None
        assert found.public_key().public_bytes_raw() == first
    assert files.of(bytes(32)) is None


def test_key__of_a_name_that_is_taken__is_not_written_over(path: Path) -> None:
    files = LogKeyFiles(path)
    first = files.public
    kept = files.retire()
    path.write_bytes(kept.read_bytes())
    path.chmod(0o600)

    with pytest.raises(Conflict, match="there already"):
        files.retire()

    assert files.public == first


def test_key__put_in_its_place_by_somebody__is_the_one_that_counts(path: Path) -> None:
    files = LogKeyFiles(path)
    before = files.public
    path.unlink()

    make_key_file(path)

    assert files.public == read_key_file(path).public_key().public_bytes_raw() != before


def test_key__that_others_may_read__is_refused(path: Path) -> None:
    files = LogKeyFiles(path)
    files.retire().chmod(0o644)

    with pytest.raises(KeyFileWrong, match="others may read"):
        files.held()
