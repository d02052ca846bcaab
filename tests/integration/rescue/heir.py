"""A world whose service is gone, and its successor: what operators kept, and what was published."""

import json
import shutil
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient
from sqlalchemy import make_url

from api.access.key_book import Account, Maker, NewKey, make_key
from api.access.scopes import SCOPES, Role
from api.attester.memory import SignedMemory
from api.attester.verdict import Verdict
from api.cli.escrow_pull import pull_escrow
from api.cli.operator_client import OperatorClient
from api.db.copying import is_empty
from api.db.session import opened, reading, transaction
from api.domain.units import FacilityId
from api.evidence_store import EvidenceFolder
from api.local.log_keys import LogKeyFiles
from api.rescue.escrow import FacilityEscrow, escrow_of
from api.rescue.taken import NoKeys
from api.rescue.takeover import Successor, TakenOver, take_over
from scripts.dev.stack import OPERATORS
from tests.attester_clients import AttesterClients
from tests.factories import DAY_S, HOUR_S, START_S, Ledger, device
from tests.integration.rescue.drill import Drill
from tests.replacing import replaced
from tests.world import CONFIRMATIONS, TRANCHES, World, wallet


class LongWorld(World):
    """A facility of six epochs, whose attesters keep their memory in files."""

    def __init__(self, *args: Any, **terms: Any) -> None:
        super().__init__(*args, window_end_s=START_S + 6 * DAY_S, **terms)
        self.others: list[Ledger] = []

    def attest(self, *numbers: int) -> list[Verdict]:
        """Let attesters judge what is pending; the first two unless named."""
        found: list[Verdict] = []
        for number in numbers or (0, 1):
            file = self.folder / f"memory-{number}"
            with closing(SignedMemory(file, self.bound(number))) as memory:
                attester = self.attester(number)
                attester._memory = memory
                found += attester.run_once()
        return found

    def add_operator(self) -> Ledger:
        """A second operator with a facility that delivers."""
        other = Ledger(
            self.engine,
            self.folder,
            name="other",
            address=wallet(OPERATORS[1]).address,
            home=self.ledger.home,
            settlement_token=self.deployment.settlement_token,
            tranches=TRANCHES,
            device_uuids=[device(i) for i in range(10, 14)],
            window_end_s=START_S + 6 * DAY_S,
        )
        other.clock = self.clock  # type: ignore[assignment]
        mine, self.operator = self.operator, wallet(OPERATORS[1]).address
        self.fund(other.facility_id)
        self.operator = mine
        self.others.append(other)
        return other


class Heir:
    """A service that is lost, and what becomes of it."""

    def __init__(self, world: World) -> None:
        self.world, self.drill = world, Drill(world)
        self.published = world.folder / "published"

    def folder(self, ledger: Ledger) -> Path:
        """Where an operator keeps its escrow."""
        return self.world.folder / f"escrow-{ledger.facility_id}"

    def kept(self, ledger: Ledger) -> FacilityEscrow:
        """An operator's escrow of its facility."""
        return escrow_of(self.folder(ledger), FacilityId(ledger.facility_id))

    def pull(self, *ledgers: Ledger) -> None:
        """Operators bring their escrows up to date."""
        for ledger in ledgers:
            client = OperatorClient("http://testserver", api_key=ledger.api_key)
            key = {"Authorization": f"Bearer {ledger.api_key}"}
            client._client = TestClient(self.world.app, headers=key)
            facility_id = FacilityId(ledger.facility_id)
            pull_escrow(client, facility_id, self.folder(ledger), self.world.evidence)

    def lose(self) -> None:
        """Database and evidence are gone; somebody has a copy of what was published."""
        shutil.copytree(self.world.evidence.root, self.published)
        self.drill.lose_database()
        self.drill.lose_evidence()

    def take_over(
        self,
        *ledgers: Ledger,
        without: tuple[int, ...] = (),
        dry_run: bool = False,
        with_key: bool = True,
        **changes: Any,
    ) -> TakenOver:
        """Another service takes over, from the escrows of some operators."""
        world = self.world
        ring = LogKeyFiles(world.settings().log_key_path) if with_key else NoKeys()
        values: dict[str, Any] = {
            "database_url": world.engine.url.render_as_string(hide_password=False),
            "evidence": world.evidence,
            "source": EvidenceFolder(self.published),
            "contracts": world.contracts,
            "ring": ring,
            "scratch": world.folder / "scratch",
            "confirmations": CONFIRMATIONS,
        }
        self.drill.stop()
        done = take_over(
            Successor(**(values | changes)),
            [self.folder(ledger) for ledger in ledgers],
            without=[FacilityId(each) for each in without],
            dry_run=dry_run,
        )
        if not dry_run:
            self.give_attesters_keys()
        return done

    def is_empty(self) -> bool:
        """Whether neither database nor evidence have anything."""
        return not self.world.evidence.root.exists() and self.database_is_empty()

    def database_is_empty(self) -> bool:
        """Whether the database is not there, or has no row."""
        url = make_url(self.world.engine.url)
        if url.get_backend_name() == "sqlite":
            return not Path(str(url.database)).exists()
        text = url.render_as_string(hide_password=False)
        with opened(text) as engine, reading(engine) as connection:
            return is_empty(connection)

    def give_a_key(self, ledger: Ledger) -> None:
        """The admin makes an operator a key."""
        account = Account(Role.OPERATOR, ledger.operator_id)
        new, by = NewKey(account, "again", SCOPES[Role.OPERATOR]), Maker("test", None)
        with transaction(self.world.engine) as connection:
            ledger.api_key = make_key(connection, new, by=by, now_s=START_S).text

    def give_attesters_keys(self) -> None:
        """Keys do not come back: the admin makes new ones, when they are asked for."""
        self.world.attesters = AttesterClients(self.world.engine, self.world.app)


def story(world: LongWorld, fix: Callable[[World], object]) -> None:
    """Three posted epochs of two operators, and what is metered of the fourth.

    Args:    fix: the first two, with whatever happens in them.
    """
    other = world.add_operator()
    other.ingest(other.usage(10, 0, HOUR_S))
    fix(world)
    ledger, at_s = world.ledger, 2 * DAY_S
    world.at(at_s + 9 * HOUR_S)
    prices = [{"from": "2026-01-01T00:00:00Z", "price": 3_000_000}]
    assert ledger.codes(ledger.terms("lease-a", 2, 0, prices=prices)) == ["accepted"]
    assert replaced(world) == 3
    assert ledger.codes(ledger.usage(1, at_s, at_s + HOUR_S)) == ["accepted"]
    wrong = other.usage(11, at_s, at_s + HOUR_S)
    assert other.codes(wrong, other.adjustment("lease-a", 5_000_000)) == ["accepted"] * 2
    world.post(2)
    at_s = 3 * DAY_S
    world.at(at_s + 9 * HOUR_S)
    assert other.codes(other.void(wrong), other.usage(12, at_s, at_s + 60)) == ["accepted"] * 2
    assert ledger.codes(ledger.usage(50, at_s, at_s + HOUR_S)) == ["accepted"]
    assert ledger.codes(ledger.adjustment("lease-b", -1_000_000)) == ["accepted"]


def change_file(file: Path, change: Callable[[bytes], bytes]) -> None:
    """Other bytes in a file."""
    file.write_bytes(change(file.read_bytes()))


def change_state(kept: FacilityEscrow, **changes: Any) -> None:
    """Other values in the file of an escrow's state."""
    document: Mapping[str, Any] = json.loads(kept.state_file.read_bytes())
    kept.state_file.write_text(json.dumps({**document, **changes}))
