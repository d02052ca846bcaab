"""A service that rewrites its books between two epochs finds no attester that signs.

Prices, renters, intervals and recorded order are changed in log, facts, statements and evidence,
all hashes made anew. Who was there refuses; so does who comes back with its memory; so does who
lost it, since the chain holds the statement that was posted.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from api.attester.attest import Attester
from api.attester.memory import SignedMemory
from api.attester.verdict import Verdict
from tests.factories import DAY_S, HOUR_S
from tests.rewriting import rewrite_evidence, rewrite_log
from tests.world import World

pytestmark = pytest.mark.chain


@pytest.fixture
def posted(world: World) -> World:
    """One epoch that is posted; usage of the second, which is not over."""
    ledger = world.ledger
    world.at(DAY_S)
    ledger.ingest(ledger.usage(0, 0, 2 * HOUR_S), ledger.usage(1, 0, HOUR_S))
    return world


@pytest.fixture
def attesters(posted: World, tmp_path: Path) -> Iterator[list[Attester]]:
    """Two attesters, each with a memory of its own."""
    found = [posted.attester(n) for n in (0, 1)]
    for n, attester in enumerate(found):
        attester._memory = SignedMemory(tmp_path / f"memory-{n}", posted.bound(n))
    yield found
    for attester in found:
        attester._memory.close()


def _restart(attester: Attester, file: Path) -> None:
    """A new process of an attester has its memory's file, and nothing else."""
    attester._memory.close()
    attester._memory = SignedMemory(file, attester._memory.bound)
    attester._own.clear()


def _post_first(world: World, attesters: list[Attester]) -> None:
    world.at_cut_off(0)
    world.round()
    assert all(v.signed for a in attesters for v in a.run_once())
    world.round()
    assert world.posted == 1
    world.at(2 * DAY_S)
    ledger = world.ledger
    ledger.ingest(ledger.usage(0, DAY_S, DAY_S + 3 * HOUR_S))


def _next_verdict(attester: Attester) -> Verdict:
    [verdict] = attester.run_once()
    return verdict


def _price(event: dict[str, Any]) -> None:
    if "price_micros_per_gpu_hour" in event["data"]:
        event["data"]["price_micros_per_gpu_hour"] *= 2


def _renter(event: dict[str, Any]) -> None:
    if "renter_ref" in event["data"]:
        event["data"]["renter_ref"] = "somebody else"


def _interval(event: dict[str, Any]) -> None:
    """An hour more of the epoch that was billed."""
    data = event["data"]
    if data.get("end") == "2026-01-01T01:00:00Z":
        data |= {"end": "2026-01-01T02:00:00Z", "gpu_seconds": 2 * HOUR_S}


CHANGES: dict[str, Callable[[dict[str, Any]], None]] = {
    "price": _price,
    "renter": _renter,
    "interval": _interval,
}


@pytest.mark.parametrize("case", CHANGES)
def test_rewritten__between_two_epochs__nobody_signs_the_next(
    posted: World, attesters: list[Attester], tmp_path: Path, case: str
) -> None:
    there, back = attesters
    _post_first(posted, attesters)

    rewrite_log(posted, CHANGES[case])
    posted.at_cut_off(1)
    posted.round()
    lost = posted.attester(1)
    _restart(back, tmp_path / "memory-1")
    asleep = [_next_verdict(each) for each in (there, back, lost)]

    assert [v.signed for v in asleep] == [False] * 3
    assert "does not name the hash of the entry before" in str(asleep[0].reason)
    assert "is another than the one seen before" in str(asleep[1].reason)
    assert "evidence of epoch 0 is not what the events give" in str(asleep[2].reason)
    assert posted.signatures(1) == {}


def test_rewritten__with_its_evidence_and_statement__the_chain_holds_another(
    posted: World, attesters: list[Attester]
) -> None:
    """An attester that lost its memory reproduces all that it is shown, and does not sign it."""
    _post_first(posted, attesters)

    rewrite_log(posted, _price)
    rewrite_evidence(posted, 0)
    posted.at_cut_off(1)
    posted.round()
    lost = _next_verdict(posted.attester(1))

    assert not lost.signed
    assert "the chain holds another statement of epoch 0" in str(lost.reason)


def test_log__cut_short__is_refused_by_who_saw_more(
    posted: World, attesters: list[Attester], tmp_path: Path
) -> None:
    back = attesters[1]
    _post_first(posted, attesters)
    posted.at_cut_off(1)
    posted.round()
    _restart(back, tmp_path / "memory-1")
    whole = back._api.log

    def short(facility_id: int, *, after: int) -> Any:
        raw = whole(facility_id, after=after)
        raw.entries = raw.entries[:1]
        return raw

    back._api.log = short  # type: ignore[method-assign, assignment]

    refused = _next_verdict(back)
    back._api.log = whole  # type: ignore[method-assign]

    assert "the log ends before entry" in str(refused.reason)
    assert _next_verdict(back).signed
