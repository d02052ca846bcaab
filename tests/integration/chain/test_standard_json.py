"""What explorers verify by: a contract compiles to what is deployed from its own file alone."""

import copy
import json
from pathlib import Path

import pytest

from scripts.standard_json import NotTheSame, artifact, compiled, standard_json, write

pytestmark = pytest.mark.slow


def test_files__of_a_contract__compile_to_what_is_deployed(tmp_path: Path) -> None:
    """Bytes of metadata too: names of sources, settings and remappings are as solc took them."""
    write(tmp_path, ["RefundDesk"])

    document = json.loads((tmp_path / "RefundDesk.json").read_text())
    assert compiled("RefundDesk", document) == artifact("RefundDesk")["bytecode"]
    assert "contracts/mocks" not in " ".join(document["sources"])


def test_files__other_settings_or_a_source_short__are_not_the_same() -> None:
    document = standard_json("RefundDesk")
    other, short = copy.deepcopy(document), copy.deepcopy(document)
    other["settings"]["optimizer"]["runs"] = 999
    missing = next(path for path in short["sources"] if path.startswith("node_modules"))
    del short["sources"][missing]

    assert compiled("RefundDesk", other) != artifact("RefundDesk")["bytecode"]
    with pytest.raises(NotTheSame, match="does not compile"):
        compiled("RefundDesk", short)
