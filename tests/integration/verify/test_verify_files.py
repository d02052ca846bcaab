"""Changed files, of statements that stand and that were voided: each is found and named."""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from api.db.migrate import upgrade
from api.db.session import open_engine
from api.errors import EvidenceInvalid
from api.evidence_store import EvidenceFolder, EvidenceUrl
from api.verify.verify import VerifyReport, verify
from tests.changed_files import CASES, E0, E1, Case
from tests.integration.service import serving
from tests.published import Remembering
from tests.restated import restated
from tests.world import Deployed, World

pytestmark = pytest.mark.chain


@dataclass(frozen=True)
class History:
    """Evidence on disk, and the chain's answers."""

    world: World
    root: Path
    client: Remembering
    facility: str

    def verify(self, root: Path) -> VerifyReport:
        """Verify a copy."""
        return verify(self.client, EvidenceFolder(root))


@pytest.fixture(scope="module")
def history(deployed: Deployed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[History]:
    """Void, reopening, correction and a replaced card."""
    folder = tmp_path_factory.mktemp("files")
    engine = open_engine(f"sqlite:///{folder}/rentroll.db")
    upgrade(engine)
    world = World(engine, folder, deployed)
    restated(world)
    client = Remembering(world.chain.rpc_url)
    yield History(world, world.evidence.root, client, f"facility-{world.facility_id}")
    client.close()
    world.close()
    engine.dispose()


def test_verify__history_that_was_put_right__holds(history: History) -> None:
    """Void, reopening, correction, replaced card: no false alarm, and all of it was opened."""
    report = history.verify(history.root)

    assert [f.sentence() for f in report.findings] == []
    assert (report.statements, report.voided) == (3, 2)
    # The closing statement waits for its attesters.
    warned = {"head_age_unknown", "registry_untrusted", "not_posted"}
    assert {w.code for w in report.warnings} == warned
    assert len(list((history.root / history.facility / "superseded").iterdir())) == 2


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_verify__changed_file__is_found_and_named(
    history: History, case: Case, tmp_path: Path
) -> None:
    """ATTACKS 21, 22: and everything else is judged all the same."""
    root = tmp_path / "evidence"
    shutil.copytree(history.root, root)
    case.change(root / history.facility)

    report = history.verify(root)

    found = [f for f in report.findings if f.code == case.code]
    assert any(f.file is not None and f.file.endswith(case.file) for f in found), [
        (f.code, f.sentence()) for f in report.findings
    ]
    assert report.statements == 3


@pytest.mark.parametrize(
    "name", ["lines.csv", "credits.csv", "statement.json", "attestations.json"]
)
def test_verify__file_missing_that_follows_from_facts__leaves_later_epochs_alone(
    history: History, name: str, tmp_path: Path
) -> None:
    root = tmp_path / "evidence"
    shutil.copytree(history.root, root)
    path = f"{history.facility}/{E0}/{name}"
    (root / path).unlink()

    report = history.verify(root)

    assert [(f.code, f.file) for f in report.findings] == [("file_missing", path)]


def test_verify__over_http__holds_and_says_what_nobody_can_list(history: History) -> None:
    with (
        serving(history.world.app) as port,
        closing(EvidenceUrl(f"http://127.0.0.1:{port}/v1/evidence")) as source,
    ):
        report = verify(history.client, source)

    assert [f.sentence() for f in report.findings] == []
    assert (report.statements, report.voided) == (3, 2)
    assert "not_listed" in {w.code for w in report.warnings}
    assert "not_kept" not in {w.code for w in report.warnings}


def test_verify__writer_that_was_killed__is_a_warning_by_its_name(
    history: History, tmp_path: Path
) -> None:
    root = tmp_path / "evidence"
    shutil.copytree(history.root, root)
    left = f"{history.facility}/{E1}/.attestations.json.{'0a' * 16}.partial"
    (root / left).write_bytes(b"[")

    report = history.verify(root)

    assert report.findings == ()
    assert left in [w.file for w in report.warnings if w.code == "partial"]


DEPLOYMENT: list[tuple[str, Callable[[str], str], str]] = [
    ("no JSON", lambda d: d[:-9], "deployment"),
    ("a field more", lambda d: d.replace("{", '{\n  "a": 1,', 1), "canonical"),
    ("a later start", lambda d: _renumbered(d, 9), "start block"),
    ("a start of before", lambda d: _renumbered(d, -1), "start block"),
    ("another chain", lambda d: d.replace('"chainId": 31337', '"chainId": 1'), "chain"),
    ("a lockbox that is none", lambda d: _swapped(d, "RentLockbox", "PrimarySale"), "RentLockbox"),
    ("a token that is none", lambda d: _swapped(d, "TrancheToken", "BondVault"), "TrancheToken"),
    ("a sale that is none", lambda d: _swapped(d, "PrimarySale", "RefundDesk"), "PrimarySale"),
    ("a vault that is none", lambda d: _swapped(d, "BondVault", "RentLockbox"), "BondVault"),
    ("a desk that is none", lambda d: _swapped(d, "AttesterDesk", "RefundDesk"), "AttesterDesk"),
    ("pledges of others", lambda d: _swapped(d, "PledgeRegistry", "RefundDesk"), "PledgeRegistry"),
    (
        "attesters of others",
        lambda d: _swapped(d, "AttesterRegistry", "RefundDesk"),
        "AttesterRegistry",
    ),
    (
        "an allow-list that is none",
        lambda d: _swapped(d, "InvestorRegistry", "WalletDesk"),
        "InvestorRegistry",
    ),
    ("wallets of others", lambda d: _swapped(d, "WalletDesk", "InvestorRegistry"), "WalletDesk"),
    ("roles of others", lambda d: _swapped(d, "AccessManager", "RefundDesk"), "AccessManager"),
    ("other money", lambda d: _swapped(d, "SettlementToken", "BondVault"), "SettlementToken"),
    (
        "a registry of facilities that is none",
        lambda d: _swapped(d, "FacilityRegistry", "RefundDesk"),
        "FacilityRegistry",
    ),
    (
        "a registry of statements that is none",
        lambda d: _swapped(d, "StatementRegistry", "RefundDesk"),
        "StatementRegistry",
    ),
]


def _renumbered(document: str, by: int) -> str:
    start = json.loads(document)["startBlock"]
    return document.replace(f'"startBlock": {start}', f'"startBlock": {start + by}')


def _swapped(document: str, name: str, other: str) -> str:
    """A deployment that names another contract, with the right hash of its code."""
    content = json.loads(document)
    content["contracts"][name] = content["contracts"][other]
    return json.dumps(content, sort_keys=True, indent=2) + "\n"


@pytest.mark.parametrize(
    ("name", "change", "said"), DEPLOYMENT, ids=lambda x: x if isinstance(x, str) else ""
)
def test_verify__deployment_changed__is_refused_by_the_contract(
    history: History, name: str, change: Callable[[str], str], said: str, tmp_path: Path
) -> None:
    """ATTACKS 52: addresses and the start block are the chain's, never the evidence's."""
    root = tmp_path / "evidence"
    shutil.copytree(history.root, root)
    file = root / "deployment.json"
    file.write_text(change(file.read_text()))

    with pytest.raises(EvidenceInvalid, match=said):
        history.verify(root)
