"""Every mutant of `tests/mutants.toml` still names a line that is in the contracts, once."""

import pytest

from scripts.dev import mutate


def test_mutants__of_the_list__each_name_one_line():
    assert len(mutate.load()) > 0


def test_mutants__line_that_is_gone__is_an_error(tmp_path, monkeypatch):
    entry = {
        "name": "planted",
        "file": "contracts/money/Waterfall.sol",
        "old": "a line that is nowhere;",
        "new": "another;",
        "why": "to see the check fail",
    }
    listed = tmp_path / "mutants.toml"
    listed.write_text(
        "[[mutant]]\n" + "".join(f"{key} = '{value}'\n" for key, value in entry.items())
    )
    monkeypatch.setattr(mutate, "LIST", listed)

    with pytest.raises(SystemExit, match="planted: 0 lines"):
        mutate.load()
