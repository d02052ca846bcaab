"""`rentroll escrow`: what an operator keeps for a successor of the service, and what spoils it."""

import fcntl
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from api.cli.commands import app
from api.db.facilities import known_facility_row
from api.db.session import reading
from api.main import create_app
from api.rescue.escrow import FacilityEscrow, escrow_of
from api.routes.service import service_of
from scripts.dev.stack import OPERATORS
from tests.copies import Copies
from tests.factories import DAY_S, HOUR_S, Ledger, device
from tests.integration.service import problem, serving
from tests.world import TRANCHES, World, wallet

pytestmark = pytest.mark.chain


class Keeper:
    """An operator that keeps an escrow of its facility, over HTTP."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world, self.folder = world, folder
        self.evidence = str(world.evidence.root)

    @property
    def kept(self) -> FacilityEscrow:
        """The escrow of the world's facility."""
        return escrow_of(self.folder, self.world.facility_id)

    def run(self, *arguments: str, code: int = 0) -> Result:
        """`rentroll escrow`, with the operator's API key."""
        result = CliRunner().invoke(app, ["escrow", *arguments])
        assert result.exit_code == code, result.output
        return result

    def pull(self, code: int = 0) -> str:
        """Bring it up to date."""
        return self.run("pull", "--out", str(self.folder), code=code).output

    def check(self, code: int = 0) -> str:
        """Check it by the published evidence."""
        return self.run("check", str(self.folder), "--evidence", self.evidence, code=code).output


@pytest.fixture
def keeper(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Keeper]:
    """A service with one posted epoch, and more metered."""
    world.at(DAY_S)
    world.ledger.ingest(world.ledger.usage(0, 0, 2 * HOUR_S))
    world.post(0)
    world.ledger.ingest(world.ledger.usage(1, DAY_S, DAY_S + HOUR_S))
    monkeypatch.setenv("RENTROLL_OPERATOR_KEY", world.ledger.api_key)
    application = create_app(world.settings())
    with serving(application) as port:
        monkeypatch.setenv("RENTROLL_API_URL", f"http://127.0.0.1:{port}")
        yield Keeper(world, tmp_path / "escrow")
    service_of(application).engine.dispose()
    service_of(application).client.close()


def other_operator(world: World) -> Ledger:
    """A second operator with a facility of its own."""
    return Ledger(
        world.engine,
        world.folder,
        name="other",
        address=wallet(OPERATORS[1]).address,
        home=world.ledger.home,
        settlement_token=world.deployment.settlement_token,
        tranches=TRANCHES,
        device_uuids=[device(i) for i in range(10, 14)],
    )


def change_state(kept: FacilityEscrow, **changes: Any) -> None:
    """Other values in the file of the state."""
    document = json.loads(kept.state_file.read_bytes())
    kept.state_file.write_text(json.dumps(document | changes))


def change_lines(kept: FacilityEscrow, change: Callable[[list[dict[str, Any]]], object]) -> None:
    """Other lines in the file of the log."""
    rows = [json.loads(line) for line in kept.log_file.read_bytes().splitlines()]
    change(rows)
    kept.log_file.write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_pull__a_facility__keeps_state_and_log_for_its_owner_alone(keeper: Keeper) -> None:
    with reading(keeper.world.engine) as connection:
        row = known_facility_row(connection, keeper.world.facility_id)

    said = keeper.pull()

    kept, state = keeper.kept, keeper.kept.state()
    assert f"{row.log_size} entries, the log's key signed {row.log_size}" in said
    assert (state.name_secret, state.terms_json) == (row.name_secret, row.terms_json)
    assert kept.end().head == row.log_head
    modes = {path.stat().st_mode & 0o777 for path in [keeper.folder, *keeper.folder.rglob("*")]}
    assert modes == {0o700, 0o600}
    assert keeper.check() == said


def test_pull__again__adds_what_is_new_behind_it(keeper: Keeper) -> None:
    keeper.pull()
    before = keeper.kept.log_file.read_bytes()
    ledger = keeper.world.ledger
    ledger.ingest(ledger.usage(2, DAY_S, DAY_S + HOUR_S))

    keeper.pull()

    after = keeper.kept.log_file.read_bytes()
    assert after.startswith(before)
    assert after.count(b"\n") == before.count(b"\n") + 1
    keeper.pull()
    assert keeper.kept.log_file.read_bytes() == after


def test_pull__killed_within_a_line__goes_on_behind_the_last_whole_one(keeper: Keeper) -> None:
    keeper.pull()
    whole = keeper.kept.log_file.read_bytes()
    for cut in (1, 40, len(whole.splitlines(keepends=True)[-1]) + 10):
        keeper.kept.log_file.write_bytes(whole[:-cut])

        assert keeper.run("check", str(keeper.folder), code=1).output  # its signed end lacks

        keeper.pull()
        lines = keeper.kept.log_file.read_bytes().splitlines()
        assert set(lines) == set(whole.splitlines())
        assert keeper.check()


def test_pull__while_another_process_writes__is_refused(keeper: Keeper) -> None:
    keeper.pull()
    with keeper.kept.log_file.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)

        assert "another process writes" in keeper.pull(code=1)


def test_pull__into_a_folder_that_others_may_enter__is_refused(keeper: Keeper) -> None:
    keeper.folder.mkdir(mode=0o755)

    assert "others may enter" in keeper.pull(code=1)
    assert not list(keeper.folder.rglob("log.jsonl"))


def test_pull__of_a_log_that_is_another_now__adds_nothing(keeper: Keeper, tmp_path: Path) -> None:
    copies, ledger = Copies(keeper.world, tmp_path), keeper.world.ledger
    copies.make()
    ledger.ingest(ledger.usage(2, DAY_S, DAY_S + HOUR_S))
    keeper.pull()
    before = keeper.kept.log_file.read_bytes()
    copies.restore()
    ledger.ingest(ledger.usage(3, DAY_S, DAY_S + 60))
    ledger.ingest(ledger.usage(3, DAY_S + 60, DAY_S + 90))

    assert "does not go on behind it" in keeper.pull(code=1)
    assert keeper.kept.log_file.read_bytes() == before


def test_escrow__of_another_operator__is_not_given(keeper: Keeper) -> None:
    """A's key asks for B's: as if there were no such facility, and nothing is kept."""
    world, other = keeper.world, other_operator(keeper.world)
    path = f"/v1/console/facilities/{other.facility_id}/escrow"
    auth = {"Authorization": f"Bearer {world.ledger.api_key}"}

    for each, body in ((path, None), (f"{path}/log", {"after": 0})):
        problem(world.http.post(each, json=body, headers=auth), 404, "not_found")
        problem(world.http.post(each, json=body), 401, "unauthorized")
    named = ("--facility", str(other.facility_id))
    said = keeper.run("pull", "--out", str(keeper.folder), *named, code=1).output

    assert "404" in said
    assert not escrow_of(keeper.folder, other.facility_id).state_file.exists()
    keeper.pull()
    assert [path.name for path in keeper.folder.iterdir()] == [f"facility-{world.facility_id}"]


def _drop_entry(rows: list[dict[str, Any]]) -> None:
    entries = [i for i, row in enumerate(rows) if row["type"] == "entry"]
    del rows[entries[1]]


def _drop_last(rows: list[dict[str, Any]]) -> None:
    del rows[-1]


def _other_body(rows: list[dict[str, Any]]) -> None:
    entries = [row for row in rows if row["type"] == "entry"]
    entries[-1]["packed"], entries[-2]["packed"] = entries[-2]["packed"], entries[-1]["packed"]


def _other_blind(rows: list[dict[str, Any]]) -> None:
    rows[-1]["blind"] = "0x" + "11" * 16


def _other_answers(rows: list[dict[str, Any]]) -> None:
    rows[-1]["answers"] = "0x01"


def _other_lease(rows: list[dict[str, Any]]) -> None:
    (row, *_) = [row for row in rows if row["type"] == "lease"]
    row["lease_id"] = "lease-x"


def _no_entry(rows: list[dict[str, Any]]) -> None:
    rows[-1] = {"type": "entry"}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (_drop_entry, "one that does not follow it"),
        (_drop_last, "has not the entry"),
        (_other_body, "its body is another"),
        (_other_blind, "its body is another"),
        (_other_answers, "its answers are others"),
        (_other_lease, "its name secret is not that"),
        (_no_entry, "cannot be read"),
    ],
)
def test_check__log_that_somebody_changed__names_the_file(
    keeper: Keeper, change: Callable[[list[dict[str, Any]]], object], why: str
) -> None:
    keeper.pull()
    change_lines(keeper.kept, change)

    said = keeper.run("check", str(keeper.folder), code=1).output

    assert why in said
    assert f"facility {keeper.world.facility_id}" in said
    if change is _drop_last:
        keeper.pull()  # what is missing at its end comes again
    else:
        assert why in keeper.pull(code=1)


def test_check__state_of_another_facility__names_the_file(keeper: Keeper) -> None:
    other = other_operator(keeper.world)
    keeper.pull()
    whole = keeper.kept.state_file.read_bytes()
    with reading(keeper.world.engine) as connection:
        theirs = known_facility_row(connection, other.facility_id)
    changes: tuple[tuple[dict[str, Any], str], ...] = (
        ({"name_secret": "0x" + theirs.name_secret.hex()}, "its name secret is not that"),
        ({"facility_id": other.facility_id}, f"it is of facility {other.facility_id}"),
        ({"facility_json": theirs.terms_json.decode()}, "its terms are of facility"),
        ({"devices": []}, "its devices are not those"),
        ({"operator": {"name": "x", "address": other.home.registry}}, "its operator is not"),
        ({"format": "rentroll-escrow-9"}, "rentroll-escrow-9"),
    )
    for change, why in changes:
        change_state(keeper.kept, **change)

        assert why in keeper.run("check", str(keeper.folder), code=1).output

        keeper.kept.state_file.write_bytes(whole)


def test_check__signed_end_of_another_key__is_refused(keeper: Keeper) -> None:
    keeper.pull()
    head = json.loads(keeper.kept.head_file.read_bytes())
    keeper.kept.head_file.write_text(json.dumps(head | {"signature": "0x" + "11" * 64}))

    assert "the log's key did not sign it" in keeper.check(code=1)


def test_check__older_than_the_published_head__says_so(keeper: Keeper) -> None:
    keeper.pull()
    world = keeper.world
    world.ledger.ingest(world.ledger.usage(2, DAY_S, DAY_S + HOUR_S))
    world.post(1)
    change_state(keeper.kept, epochs_closed=2)

    assert "pull it again" in keeper.check()


def test_check__another_log_than_the_published_one__is_refused(keeper: Keeper) -> None:
    """Whole by itself: only the published head tells."""
    keeper.pull()
    manifest = keeper.world.evidence.root / (
        f"facility-{keeper.world.facility_id}/epoch-00000/manifest.json"
    )
    document = json.loads(manifest.read_bytes())
    manifest.write_text(json.dumps(document | {"log_head": "0x" + "11" * 32}))

    assert "another than the one that its published statement names" in keeper.check(code=1)


def test_check__behind_the_signed_end__says_that_nothing_vouches_for_it(keeper: Keeper) -> None:
    keeper.pull()
    keeper.kept.head_file.unlink()

    assert "behind entry" in keeper.check()
