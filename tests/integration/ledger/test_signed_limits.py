"""Signed requests at their limits: what costs nothing, what costs its size, and what is late."""

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.attester.attest import Attester
from api.chain.ledger_keys import NamedNow
from api.db.log import logged_after
from api.db.session import reading
from api.domain.clocks import Clocks
from api.domain.log.entry import NO_LOG, EntryKind, end_of
from api.domain.log.keys import KeyRole, key_body
from api.domain.log.requests import LOG_HEADER, read_request
from api.domain.units import Bytes32, FacilityId
from api.errors import AfterRefused, ChainUnavailable, KeyUnknown
from api.ledger.signed import SignedEvents, admit, record_signed
from api.ledger.write import SignedBody
from api.main import create_app
from api.routes.service import service_of
from tests.factories import DAY_S, HOUR_S
from tests.signing import Author, collector_of, name_on_chain, signing_operator
from tests.world import World

pytestmark = pytest.mark.chain
EVENTS, KEYS = "/v1/events", "/v1/log/keys"


@pytest.fixture
def signing(world: World) -> tuple[Author, Author]:
    """The operator's ledger key and one collector's, in the log of a facility."""
    world.at(DAY_S)
    operator = signing_operator(world)
    return operator, collector_of(operator)


def _admit(author: Author, body: bytes, **changes: Any) -> None:
    headers = author.headers(EVENTS, body, **changes)
    request = read_request(headers, path=EVENTS)
    name, digest = headers[LOG_HEADER], headers["content-digest"]
    admit(service_of(author.world.app).log, request, name=name, digest=digest)


def _record(author: Author, named: NamedNow | None) -> None:
    body = key_body(author.public, name="ledger", role=KeyRole.LEDGER)
    request = read_request(author.headers(KEYS, body), path=KEYS)
    signed = SignedBody(FacilityId(author.world.facility_id), request, body, EntryKind.KEY)
    log = service_of(author.world.app).log
    record_signed(log, signed, SignedEvents(), named_now=lambda *_: named)


# --- what somebody kept ---------------------------------------------------------------------------


def test_admit__headers_behind_another_entry__are_refused_with_the_receipt(
    world: World, signing: tuple[Author, Author]
) -> None:
    """Before anything is counted: whoever kept headers of before spends nobody's share."""
    _, collector = signing
    first = collector.after
    assert collector.taken(world.ledger.usage(0, 0, HOUR_S)) == ["accepted"]
    second = collector.after
    assert collector.taken(world.ledger.usage(1, 0, HOUR_S)) == ["accepted"]

    for after in (first, Bytes32(b"\7" * 32)):
        with pytest.raises(AfterRefused) as refused:
            _admit(collector, b"[]", after=after)
        assert "receipt" in refused.value.context
    # What may be the last request once more, and what comes next.
    _admit(collector, b"[]", after=second)
    _admit(collector, b"[]")


def test_admit__key_that_was_ended__gets_its_last_receipt_again_and_nothing_else(
    world: World, signing: tuple[Author, Author]
) -> None:
    operator, collector = signing
    before = collector.after
    body = json.dumps([world.ledger.usage(0, 0, HOUR_S)]).encode()
    first = collector.post(EVENTS, body)
    assert operator.end(collector).status_code == 200

    again = collector.post(EVENTS, body, after=before)

    assert again.json()["receipt"] == first.json()["receipt"]
    with pytest.raises(KeyUnknown, match="was ended"):
        _admit(collector, b"[]")
    headers = collector.headers(f"{EVENTS}/check", b"[]", content_type="application/json")
    checked = world.http.post(f"{EVENTS}/check", content=b"[]", headers=headers)
    assert (checked.status_code, checked.json()["code"]) == (401, "key_unknown")


def test_check__signed__judges_and_records_nothing(
    world: World, signing: tuple[Author, Author]
) -> None:
    """By the key's role, of its facility alone; `after` is not looked at."""
    _, collector = signing
    ledger = world.ledger
    other = ledger.usage(1, 0, HOUR_S)
    other["data"]["facility_id"] = 99
    body = json.dumps(
        [ledger.usage(0, 0, HOUR_S), ledger.terms("lease-a", 2, 0, max_gpus=3), other]
    ).encode()
    size = world.http.get(f"/v1/facilities/{world.facility_id}/log").json()["size"]
    changes = {"after": Bytes32(b"\7" * 32), "content_type": "application/json"}
    headers = collector.headers(f"{EVENTS}/check", body, **changes)

    checked = world.http.post(f"{EVENTS}/check", content=body, headers=headers)

    said = [r.get("code") or r["status"] for r in checked.json()["results"]]
    assert said == ["accepted", "key_forbidden", "facility_unknown"]
    assert "receipt" not in checked.json()
    assert world.http.get(f"/v1/facilities/{world.facility_id}/log").json()["size"] == size


def test_retry__under_a_ledger_key_that_was_replaced_since__gets_its_receipt(
    world: World, signing: tuple[Author, Author]
) -> None:
    operator, _ = signing
    before = operator.after
    body = json.dumps([world.ledger.usage(0, 0, HOUR_S)]).encode()
    first = operator.post(EVENTS, body)
    name_on_chain(world, Author(world).public)

    again = operator.post(EVENTS, body, after=before)

    assert (again.status_code, again.json()["receipt"]) == (200, first.json()["receipt"])
    assert operator.send().json()["code"] == "key_unknown"


# --- whom the operator names ----------------------------------------------------------------------


def test_ledger_key__node_far_behind__is_asked_for_again(world: World) -> None:
    """A node that stands still does not know that another key was named."""
    world.at(DAY_S)
    now_s = world.clock()

    with pytest.raises(ChainUnavailable, match="far behind"):
        _record(Author(world), NamedNow(final_s=0, head_s=now_s - 601))

    _record(Author(world), NamedNow(final_s=0, head_s=now_s - 600))


def test_ledger_key__service_clock_behind_the_naming__is_no_entry_yet(world: World) -> None:
    """Attesters would not believe that it was named by then, and refuse the log for ever."""
    world.at(DAY_S)
    now_s = world.clock()

    with pytest.raises(ChainUnavailable, match="clock is behind"):
        _record(Author(world), NamedNow(final_s=now_s + 1, head_s=now_s + 9))

    assert world.http.get(f"/v1/facilities/{world.facility_id}/log").json()["size"] == 2


# --- what is long ---------------------------------------------------------------------------------


def test_events__that_say_nothing_at_length__cost_as_much_as_what_says_much(
    world: World, signing: tuple[Author, Author]
) -> None:
    _, collector = signing
    app = create_app(world.settings(ingest_events_per_s=1_000, ingest_burst_s=2))
    world.http = TestClient(app)
    long = b"[" + b" " * (1_500 * 1_024) + b"]"

    assert collector.post(EVENTS, long).status_code == 200
    assert collector.post(EVENTS, long).status_code == 429
    service_of(app).client.close()


def test_log__with_long_bodies__is_handed_out_packed(
    world: World, signing: tuple[Author, Author]
) -> None:
    """Of an attester, too, no more is in memory than was kept."""
    _, collector = signing
    for _ in range(3):
        assert collector.post(EVENTS, b"[" + b" " * (1 << 20) + b"]").status_code == 200
    path = f"/v1/attester/facilities/{world.facility_id}/log"
    world.indexer().advance()

    answer = world.http.get(path, headers=world.as_attester(), params={"after": 0})

    assert len(answer.content) < 64 * 1_024
    with reading(world.engine) as connection:
        logged = logged_after(connection, collector.log, after=0, most=1_000)
    assert len(logged[-1].body) == (1 << 20) + 2
    assert len(logged[-1].packed) < 8 * 1_024


# --- an attester whose node is behind -------------------------------------------------------------


def _behind(world: World, attester: Attester, head_s: int) -> Attester:
    """The same, whose node came so far, and does not know of what came later."""
    clocks = Clocks(wall_s=None, head_s=head_s, final_s=head_s)
    attester._facts.clocks = lambda _wall_s: clocks  # type: ignore[method-assign]
    attester._facts.named_keys = lambda _operator: ()  # type: ignore[method-assign]
    return attester


def test_attest__log_is_ahead_of_the_node__judges_what_the_node_can_know(world: World) -> None:
    """A ledger key that was named in a block which the node lacks is no reason to refuse."""
    ledger = world.ledger
    world.at(DAY_S)
    ledger.ingest(ledger.usage(0, 0, HOUR_S))
    world.at_cut_off(0)
    world.round()
    cut_s = world.client.head().time_s
    world.chain.set_time(cut_s + 60)
    collector_of(signing_operator(world))

    [verdict] = _behind(world, world.attester(0), cut_s).run_once()

    assert verdict.signed, verdict.reason


def test_attest__node_behind_what_was_seen__waits_and_says_so(world: World) -> None:
    """Nothing contradicts its memory: it knows less than before."""
    ledger = world.ledger
    world.at(DAY_S)
    ledger.ingest(ledger.usage(0, 0, HOUR_S))
    world.at_cut_off(0)
    world.round()
    cut_s = world.client.head().time_s
    world.chain.set_time(cut_s + 60)
    ledger.ingest(ledger.usage(0, DAY_S, DAY_S + 60))
    attester = world.attester(0)
    raw = attester._api.log(FacilityId(world.facility_id), after=0)
    end = end_of([raw.entries[-1].entry], NO_LOG)
    attester._memory.log_end = lambda _facility: end  # type: ignore[method-assign]

    [verdict] = _behind(world, attester, cut_s).run_once()

    assert not verdict.signed
    assert verdict.found is None
    assert "behind what the log was before" in str(verdict.reason)
