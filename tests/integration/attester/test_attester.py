"""Attesters over HTTP: they sign what they reproduce to the byte, and say why they do not."""

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import pytest

from api.attester.account import AttesterAccount
from api.attester.attest import Attester, RawInput
from api.attester.failures import ServiceRefused
from api.attester.verdict import Verdict
from api.chain import calldata
from api.chain.panels import attester_warnings
from api.domain.log.bodies import pack
from api.domain.log.entry import NO_LOG, end_of
from api.domain.log.logged import events_of
from api.domain.metering.facts import Place
from api.domain.statements.statement import statement_digest
from api.routes.attester import attestations
from scripts.dev.stack import ATTESTER_ACCOUNTS, MINIMUM_BOND, RENTER
from tests.factories import DAY_S, HOUR_S
from tests.logs import SentEvent, log_of
from tests.unit.values import TERMS
from tests.world import World, send, signer_of, wallet

pytestmark = pytest.mark.chain


@pytest.fixture
def closed(world: World) -> World:
    """Two closed epochs: usage, an outage, and a void of the first epoch's usage."""
    ledger = world.ledger
    world.at(DAY_S)
    wrong = ledger.usage(1, 0, HOUR_S)
    ledger.ingest(ledger.usage(0, 0, 2 * HOUR_S), wrong, ledger.outage(3, 0, HOUR_S))
    world.at_cut_off(0)
    world.round()
    world.at(2 * DAY_S)
    ledger.ingest(ledger.void(wrong), ledger.usage(0, DAY_S, DAY_S + 3 * HOUR_S))
    world.at_cut_off(1)
    world.round()
    return world


def _deceived(attester: Attester, change: Callable[[RawInput], None]) -> Attester:
    """The attester, given a changed log by the service."""
    honest = attester._api.log

    def deceive(facility_id: int, *, after: int) -> RawInput:
        raw = honest(facility_id, after=after)
        if raw.entries:
            change(raw)
        return raw

    attester._api.log = deceive  # type: ignore[method-assign]
    return attester


def _refusals(verdicts: list[Verdict]) -> list[str | None]:
    return [None if v.signed else v.reason for v in verdicts]


def test_attest__honest_service__signs_both_epochs(closed: World) -> None:
    verdicts = closed.attest(0)

    assert _refusals(verdicts) == [None, None]
    assert len(closed.signatures(0)) == len(closed.signatures(1)) == 1


def test_attest__log_in_parts__signs_both_epochs(
    closed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A part has one entry at least, however large."""
    monkeypatch.setattr(attestations, "_MOST_BYTES", 1)

    assert _refusals(closed.attest(0)) == [None, None]


@pytest.mark.parametrize(
    "name", ["facility.json", "batches.jsonl", "facts.jsonl", "terms.jsonl", "lines.csv",
             "credits.csv", "manifest.json"],
)  # fmt: skip
def test_attest__evidence_differs_by_a_byte__refuses_naming_the_file(
    closed: World, name: str
) -> None:
    home = f"facility-{closed.facility_id}"
    path = f"{home}/{name}" if name == "facility.json" else f"{home}/epoch-00000/{name}"
    good = closed.evidence.read(path)
    closed.evidence.replace(path, good[:-1] + b" \n")

    refused = closed.attest(0)
    held = closed.signatures(0)
    closed.evidence.replace(path, good)
    repaired = closed.attest(0)

    assert not refused[0].signed
    assert name in str(refused[0].reason)
    assert held == {}
    assert all(v.signed for v in repaired)
    assert len(closed.signatures(0)) == 1


def _events(raw: RawInput) -> list[SentEvent]:
    """Events of a log, each with its entry."""
    return [
        SentEvent(Place(logged.entry.number, index), logged.entry.recorded_at_s, event)
        for logged in raw.entries
        for index, event in enumerate(events_of(logged.body, logged.entry.author))
    ]


def _told(raw: RawInput, events: list[SentEvent]) -> None:
    """A log of other events, whose entries follow each other as they should."""
    terms = replace(TERMS, **asdict(raw.entries[0].entry.log))
    was = {e.place.entry: [x for x in _events(raw) if x.place.entry == e.place.entry]
           for e in _events(raw)}  # fmt: skip
    kept = []
    for logged in raw.entries:
        number = logged.entry.number
        if [e for e in events if e.place.entry == number] != was[number]:
            break
        kept.append(logged)
    end = end_of([logged.entry for logged in kept], NO_LOG)
    raw.entries = [*kept, *log_of(terms, [e for e in events if e.place.entry > end.size], end)]


def _change(raw: RawInput, kind: str, **data: Any) -> None:
    """Other data in the first event of a kind."""
    events = _events(raw)
    at = next(i for i, e in enumerate(events) if kind in e.payload["type"])
    event = json.loads(json.dumps(events[at].payload))
    event["data"] |= data
    events[at] = replace(events[at], payload=event)
    _told(raw, events)


def _drop(raw: RawInput) -> None:
    _told(raw, [e for e in _events(raw) if "usage" not in e.payload["type"]])


def _add(raw: RawInput) -> None:
    events = _events(raw)
    used = next(e for e in events if "usage" in e.payload["type"])
    event = json.loads(json.dumps(used.payload))
    event["id"] = "invented"
    event["data"]["start"], event["data"]["end"] = "2026-01-01T10:00:00Z", "2026-01-01T12:00:00Z"
    at = events.index(used) + 3
    events.insert(at, replace(used, payload=event))
    _told(raw, events)


def _repeat(raw: RawInput) -> None:
    raw.entries.insert(1, raw.entries[1])


def _again(raw: RawInput) -> None:
    events = _events(raw)
    last = events[-1]
    events.append(replace(last, place=Place(last.place.entry + 1, 0)))
    _told(raw, events)


def _move(raw: RawInput) -> None:
    """Recorded a day later, events of the first epoch are late usage of the second."""
    _told(raw, [replace(e, recorded_at_s=e.recorded_at_s + DAY_S) for e in _events(raw)])


def _back(raw: RawInput) -> None:
    events = _events(raw)
    end = events[-1].place.entry
    first_s = events[0].recorded_at_s - 1
    late = [replace(e, recorded_at_s=first_s) if e.place.entry == end else e for e in events]
    _told(raw, late)


def _secret(raw: RawInput) -> None:
    raw.leases[0] = replace(raw.leases[0], secret=bytes(32))


def _nonsense(raw: RawInput) -> None:
    _told(raw, [replace(_events(raw)[0], payload=[[1]]), *_events(raw)[1:]])


def _other_body(raw: RawInput) -> None:
    raw.entries[0] = replace(raw.entries[0], packed=pack(b"[]"), answers=b"")


def _other_log(raw: RawInput) -> None:
    entry = raw.entries[0].entry
    other = replace(entry, log=replace(entry.log, chain_id=1))
    raw.entries[0] = replace(raw.entries[0], entry=other)


CHANGES: dict[str, tuple[Any, str]] = {
    "event dropped": (_drop, "log breaks a rule"),
    "event added": (_add, "batches.jsonl"),
    "entry repeated": (_repeat, "entry 3 comes next"),
    "event repeated": (_again, "repeated"),
    "event moved to another epoch": (_move, "batches.jsonl"),
    "recorded before the one before": (_back, "recorded before the entry before"),
    "body of an entry changed": (_other_body, "its body is another"),
    "entry of another log": (_other_log, "of another log"),
    "lease price changed": (
        lambda raw: _change(raw, "lease.opened", price_micros_per_gpu_hour=1_000_010),
        "batches.jsonl",
    ),
    "renter changed": (lambda raw: _change(raw, "lease.opened", renter_ref="x"), "batches.jsonl"),
    "secret of a lease changed": (_secret, "facts.jsonl"),
    "no event": (_nonsense, "log breaks a rule"),
    # The service shows no such lease, so it could not have taken what names it.
    "outage of an unknown lease": (
        lambda raw: _change(raw, "availability", lease="nobody"),
        "The facility has no such lease.",
    ),
}


@pytest.mark.parametrize("case", CHANGES)
def test_attest__raw_input_changed__refuses_and_signs_when_repaired(
    closed: World, case: str
) -> None:
    """ATTACKS 21: a service that lies to one attester gets nothing from it."""
    change, word = CHANGES[case]
    attester = _deceived(closed.attester(0), change)

    refused = attester.run_once()

    assert not refused[0].signed
    assert word in str(refused[0].reason)
    assert closed.signatures(0) == closed.signatures(1) == {}
    assert _refusals(closed.attest(0)) == [None, None]


def test_attest__void_hidden__refuses_the_epoch_that_states_it(closed: World) -> None:
    """The first epoch stands; the second lacks its VOID line."""

    def hide(raw: RawInput) -> None:
        _told(raw, [e for e in _events(raw) if "correction" not in e.payload["type"]])

    verdicts = _deceived(closed.attester(0), hide).run_once()

    assert verdicts[0].signed
    assert not verdicts[1].signed
    assert "batches.jsonl" in str(verdicts[1].reason)
    assert (len(closed.signatures(0)), len(closed.signatures(1))) == (1, 0)


def test_attest__restarted_and_lied_to_about_the_past__refuses(closed: World) -> None:
    """An attester that lost its memory walks all epochs again and believes nothing."""
    assert _refusals(closed.attest(0))[0] is None
    second = closed.attester(1)
    pending = second._api.pending
    second._api.pending = lambda a: [p for p in pending(a) if p[1] == 1]  # type: ignore[method-assign]

    lie = CHANGES["lease price changed"][0]
    verdicts = _deceived(second, lie).run_once()

    assert [v.signed for v in verdicts] == [False]
    assert len(closed.signatures(1)) == 1


def test_attest__statement_hash_differs__refuses(closed: World) -> None:
    attester = closed.attester(0)
    pending = attester._api.pending
    attester._api.pending = lambda a: [(f, e, b"\1" * 32) for f, e, _ in pending(a)]  # type: ignore[method-assign]

    reasons = _refusals(attester.run_once())

    assert all("statement is not what the events give" in str(reason) for reason in reasons)
    assert closed.signatures(0) == {}


def _handed_in(closed: World, index: int) -> tuple[int, str]:
    """What the service says to a true signature of an account."""
    signer, deployment = signer_of(index), closed.deployment
    digest = statement_digest(
        closed.statement(0), chain_id=deployment.chain_id, registry=deployment.statement_registry
    )
    body = {"attester": signer.address, "signature": "0x" + signer.sign_digest(digest).hex()}
    path = f"/v1/attester/facilities/{closed.facility_id}/epochs/0/attestations"
    headers = closed.as_attester(signer.address)
    answer = closed.http.post(path, json=body, headers=headers)
    return answer.status_code, answer.json().get("detail", "")


def test_attest__signer_without_a_seat__signs_nothing_and_is_refused_by_the_service(
    closed: World,
) -> None:
    """ATTACKS 19."""
    attester = closed.attester(0)
    attester._account = attester._pledges._account = AttesterAccount(signer_of(RENTER))
    with pytest.raises(ServiceRefused, match="speaks for"):
        attester.run_once()
    attester._pledges._api = attester._api = closed.attesters.of(wallet(RENTER).address)[0]

    verdicts = attester.run_once()
    status, words = _handed_in(closed, RENTER)

    assert verdicts == []
    assert (status, f"no seat on panel 1 of facility {closed.facility_id}" in words) == (422, True)
    assert closed.signatures(0) == closed.signatures(1) == {}


def test_attest__seat_given_to_another__signs_no_more_for_that_panel(closed: World) -> None:
    """A member that sits on no panel is named by status and doctor."""
    registry, governance = closed.deployment.attester_registry, wallet(0).address
    unseated, newcomer = wallet(ATTESTER_ACCOUNTS[0]).address, wallet(9).address
    seats = [newcomer, *(wallet(i).address for i in ATTESTER_ACCOUNTS[1:])]
    in_order = sorted(seats, key=lambda account: int(account, 16))
    for name, *arguments in (("setAttester", newcomer, True), ("setPanel", 1, in_order)):
        send(
            closed.client,
            governance,
            registry,
            calldata.call("AttesterRegistry", name, *arguments),
        )
    closed.round()

    assert closed.attest(0) == []
    assert _handed_in(closed, ATTESTER_ACCOUNTS[0])[0] == 422
    # Seated, and without a bond.
    status, words = _handed_in(closed, 9)
    assert (status, "bond is below the minimum" in words) == (422, True)
    assert _refusals(closed.attest(1)) == [None, None]
    warnings = closed.http.get("/v1/status").json()["attester_warnings"]
    assert sorted(warnings) == sorted(
        [
            f"{unseated} sits on no panel",
            f"the bond of {newcomer} is 0 micros, below the minimum of {MINIMUM_BOND}",
        ]
    )
    own = attester_warnings(closed.contracts, unseated)
    assert own == [f"{unseated} sits on no panel"]
    assert attester_warnings(closed.contracts, wallet(RENTER).address) == [
        f"the bond of {wallet(RENTER).address} is 0 micros, below the minimum of {MINIMUM_BOND}",
        f"{wallet(RENTER).address} sits on no panel",
    ]
    assert attester_warnings(closed.contracts, wallet(ATTESTER_ACCOUNTS[1]).address) == []
