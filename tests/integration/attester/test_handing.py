"""What an attester refuses reaches service and chain by itself, within a day's gas."""

import json
from pathlib import Path
from typing import Any

import pytest

from api.attester.chain_facts import ChainFacts
from api.attester.failures import ServiceAway
from api.attester.handing import HandingIn, Publisher, SentBook
from api.attester.shelf import RefusalShelf
from api.chain.client import ChainClient
from api.domain.statements.refusals import Refusal, RefusalCode
from api.domain.statements.statement import statement_hash
from api.domain.units import Bytes32, Epoch, FacilityId
from api.errors import Misconfigured
from scripts.dev.stack import ATTESTER_ACCOUNTS, RENTER
from tests.endings import signed_refusal
from tests.factories import DAY_S, HOUR_S
from tests.integration.attester.site import Site, logged, make_site, served
from tests.world import World, signer_of, wallet

pytestmark = pytest.mark.chain
NOW_S = 1_900_000_000


@pytest.fixture
def closed(world: World) -> World:
    """One closed epoch."""
    world.at(DAY_S)
    world.ledger.ingest(world.ledger.usage(0, 0, HOUR_S))
    world.at_cut_off(0)
    world.round()
    return world


class Told(list[tuple[str, dict[str, Any]]]):
    """What was logged."""

    def __call__(self, step: str, **fields: Any) -> None:
        self.append((step, fields))

    @property
    def steps(self) -> list[str]:
        """In words alone."""
        return [step for step, _ in self]


def _put(world: World, shelf: RefusalShelf, facility: int, *hashes: Bytes32) -> list[str]:
    return [
        shelf.put(
            signed_refusal(
                world,
                Refusal(
                    FacilityId(facility), Epoch(0), hashed, Bytes32(b"\2" * 32),
                    Bytes32(bytes(32)), 0, 2_000_000_000, RefusalCode.NOT_RECOMPUTED,
                ),
                ATTESTER_ACCOUNTS[0],
                signed_at_s=hashed[0],
            )
        )
        for hashed in hashes
    ]  # fmt: skip


def _made_up(*numbers: int) -> list[Bytes32]:
    return [Bytes32(bytes([number]) * 32) for number in numbers]


def _on_chain(world: World) -> list[Any]:
    world.indexer().advance()
    return world.events("StatementRefused")


class Publishing:
    """A publisher like a fresh process, with a clock."""

    def __init__(self, world: World, folder: Path, *, most_gas: int = 10_000_000) -> None:
        self.shelf, self.now_s, self.told = RefusalShelf(folder / "refusals"), NOW_S, Told()
        self.file, self.client = folder / "sent.jsonl", world.client
        self.of = Publisher(
            world.client,
            signer_of(RENTER),
            ChainFacts(world.contracts, world.evidence),
            self.shelf,
            SentBook(self.file),
            most_gas=most_gas,
            clock=lambda: self.now_s,
        )

    def rounds(self, count: int) -> None:
        """Some rounds."""
        for _ in range(count):
            self.of.round(self.told)

    def each(self, count: int) -> None:
        """Rounds that send one transaction at most, each mined before the next round."""
        for _ in range(count):
            self.of.round(self.told)
            for row in self.of._book.rows:
                while self.client.receipt(bytes.fromhex(row.transaction[2:])) is None:
                    pass


def _site(world: World, folder: Path, url: str) -> Site:
    site = make_site(world, folder, url, ATTESTER_ACCOUNTS[0])
    gas = folder / "gas.key"
    gas.touch(mode=0o600)
    gas.write_text(wallet(RENTER).key.hex())
    site.change("[refusals]", '[refusals]\ngas_key_file = "gas.key"')
    return site


def test_run__statement_that_does_not_hold__is_refused_at_the_service_and_on_chain(
    closed: World, tmp_path: Path
) -> None:
    """The whole way, by the settings alone; run again, nothing is sent twice."""
    lines = f"facility-{closed.facility_id}/epoch-00000/lines.csv"
    closed.evidence.replace(lines, closed.evidence.read(lines) + b"x\n")
    with served(closed) as url:
        site = _site(closed, tmp_path, url)
        runs = [logged(site.command("run", "--once")) for _ in range(3)]

    steps = [[line["step"] for line in run] for run in runs]
    shown = closed.http.get(f"/v1/facilities/{closed.facility_id}/refusals").json()
    # A process of one round each: what stands at the service already is handed in again in vain.
    assert steps[0] == ["refused", "handed in"]
    [event] = _on_chain(closed)
    assert (
        json.loads(event.payload)["statementHash"]
        == "0x" + statement_hash(closed.statement(0)).hex()
    )
    assert shown["total"] == 1
    assert len((tmp_path / "attester-sent.jsonl").read_text().splitlines()) == 1


def test_handing_in__what_the_service_does_not_take__is_told_and_rests(
    closed: World, tmp_path: Path
) -> None:
    attester, shelf, told = closed.attester(0), RefusalShelf(tmp_path), Told()
    fine = _put(closed, shelf, closed.facility_id, statement_hash(closed.statement(0)))
    nonsense = _put(closed, shelf, closed.facility_id, *_made_up(1))
    way = HandingIn(attester._api, shelf, attester._facts)

    for _ in range(3):
        way.round(told)

    assert sorted(told.steps) == ["handed in", "not handed in"]
    assert {fields["refusal"] for _, fields in told} == {*fine, *nonsense}


def test_handing_in__service_away__is_tried_again(
    closed: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    attester, shelf, told = closed.attester(0), RefusalShelf(tmp_path), Told()
    _put(closed, shelf, closed.facility_id, statement_hash(closed.statement(0)))
    way = HandingIn(attester._api, shelf, attester._facts)

    def away(_: object) -> None:
        raise ServiceAway("no answer")

    with monkeypatch.context() as patch:
        patch.setattr(attester._api, "submit_refusal", away)
        with pytest.raises(ServiceAway):
            way.round(told)
    way.round(told)

    assert told.steps == ["handed in"]


def test_publisher__each_refusal__is_sent_once_over_restarts(closed: World, tmp_path: Path) -> None:
    first = Publishing(closed, tmp_path)
    _put(closed, first.shelf, closed.facility_id, *_made_up(1, 2))
    first.each(1)
    with first.file.open("ab") as cut:
        cut.write(b'{"refusal": "cut o')

    again = Publishing(closed, tmp_path)
    again.each(3)

    assert len(_on_chain(closed)) == len(again.of._book.rows) == 2


def test_publisher__day_has_no_gas_left__waits_for_the_next(closed: World, tmp_path: Path) -> None:
    """ATTACKS 55: the limit holds over restarts."""
    one = Publishing(closed, tmp_path)
    _put(closed, one.shelf, closed.facility_id, *_made_up(1, 2, 3))
    one.each(1)
    gas = one.of._book.rows[0].gas

    poor = Publishing(closed, tmp_path, most_gas=gas + gas // 2)
    poor.each(5)
    spent = len(_on_chain(closed))
    poor.now_s += DAY_S
    poor.of._rests._clock = lambda: 1e9
    poor.each(1)

    assert spent == 1
    assert "not on-chain" in poor.told.steps
    assert len(_on_chain(closed)) == 2


def test_publisher__many_of_one_facility__leave_gas_for_another(
    world: World, tmp_path: Path
) -> None:
    """ATTACKS 55: the facility for which least was spent comes first."""
    token = world.deployment.settlement_token
    other = world.ledger.add_facility(range(10, 14), name="hall-2", settlement_token=token)
    world.offer(other)
    world.at_cut_off(0)
    busy = Publishing(world, tmp_path)
    _put(world, busy.shelf, world.facility_id, *_made_up(*range(1, 30)))
    busy.each(2)
    [name] = _put(world, busy.shelf, other, *_made_up(1))

    busy.each(2)

    sent = [row.refusal for row in busy.of._book.rows]
    assert sent.index(name) == 2


def test_publisher__what_the_chain_does_not_take__costs_nothing_and_rests(
    closed: World, tmp_path: Path
) -> None:
    publishing = Publishing(closed, tmp_path)
    _put(closed, publishing.shelf, 99, *_made_up(1))

    publishing.rounds(3)

    assert publishing.told.steps == ["not on-chain"]
    assert publishing.of._book.rows == []


def test_publisher__killed_before_it_left__is_sent_anew(
    closed: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is noted before it is sent: gas is never spent twice unseen."""
    killed = Publishing(closed, tmp_path)
    _put(closed, killed.shelf, closed.facility_id, *_made_up(1))

    def kill(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(ChainClient, "send_raw", kill)
        with pytest.raises(KeyboardInterrupt):
            killed.rounds(1)
    again = Publishing(closed, tmp_path)
    again.rounds(2)
    early = len(_on_chain(closed))
    again.now_s += 600
    again.each(3)

    assert (early, len(_on_chain(closed))) == (0, 1)
    assert again.told.steps == ["not mined", "on-chain"]


def test_sent_book__of_something_else__is_refused(tmp_path: Path) -> None:
    for number, text in enumerate(("{}\n", "no\n", '{"refusal": 1}\n')):
        (tmp_path / str(number)).write_text(text)
        with pytest.raises(Misconfigured, match="no record"):
            SentBook(tmp_path / str(number))
