"""The log as its operator searches it, and previews over HTTP, on real databases."""

from typing import Any
from urllib.parse import urlencode

import pytest
from sqlalchemy import event, insert

from api.access.accounts import add_operator
from api.db.session import transaction
from api.db.tables.console import event_rejections
from api.db.tables.ledger import event_conflicts, facts, meter_events
from api.db.tables.replacements import replacements
from api.epochs.close import close_due
from api.reads.console import log
from api.routes.http.body import BATCH
from api.routes.service import service_of
from tests.factories import DAY_S, GRACE_S, HOUR_S, START_S, device
from tests.integration.service import Service, problem

DOLLAR = 1_000_000


def path(service: Service, rest: str = "/events") -> str:
    return f"/v1/console/facilities/{service.ledger.facility_id}{rest}"


def search(service: Service, **wanted: Any) -> dict[str, Any]:
    answer = service.client.get(f"{path(service)}?{urlencode(wanted)}", headers=service.auth())
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def ids(page: dict[str, Any]) -> list[str]:
    return [event["id"] for event in page["events"]]


def pages(service: Service, **wanted: Any) -> list[list[str]]:
    """Ids of every page."""
    found = [search(service, **wanted)]
    while found[-1]["next"] is not None:
        found.append(search(service, **wanted, before=found[-1]["next"]))
    return [ids(page) for page in found]


def refusal(service: Service, **wanted: Any) -> str:
    answer = service.client.get(f"{path(service)}?{urlencode(wanted)}", headers=service.auth())
    return str(problem(answer, 422, "invalid_input")["field"])


def close(service: Service, epochs: int) -> None:
    ledger = service.ledger
    ledger.clock.now_s = START_S + epochs * DAY_S + GRACE_S
    close_due(ledger.engine, ledger.evidence, ledger.clock.now_s)


def look_ahead(service: Service, *events: Any, key: str | None = None) -> Any:
    return service.client.post(
        path(service, "/events/preview"),
        json=list(events),
        headers={**service.auth(key), "Content-Type": BATCH},
    )


@pytest.mark.both_databases
def test_log__searched_in_every_way__finds_what_was_told(service: Service) -> None:
    ledger = service.ledger
    ledger.clock.now_s = START_S + DAY_S
    first = ledger.usage(0, 0, 2 * HOUR_S, name="first")
    second = ledger.usage(0, 4 * HOUR_S, 5 * HOUR_S, name="second", lease="lease-b")
    out = {**ledger.outage(1, HOUR_S, 3 * HOUR_S), "id": "out"}
    seen = {**ledger.seen(2, 0, HOUR_S), "id": "seen"}
    credit = {**ledger.adjustment("lease-a", -5), "id": "credit"}
    elsewhere = {**ledger.usage(3, 0, HOUR_S, name="first"), "source": "collector/2"}
    assert ledger.codes(first, second, out, seen, credit, elsewhere) == ["accepted"] * 6
    instead = ledger.usage(0, 0, HOUR_S)
    replaced = {**ledger.replace(first, instead), "id": "replaced"}
    assert ledger.codes(replaced) == ["accepted"]

    assert ids(search(service, device=device(0))) == ["second", "replaced", "first"]
    assert pages(service, device=device(0), limit=2) == [["second", "replaced"], ["first"]]
    assert ids(search(service, lease="lease-b")) == ["second"]
    assert ids(search(service, lease="lease-a", kind="usage")) == ["first", "first"]
    day = {"from_s": START_S, "to_s": START_S + DAY_S}
    assert sorted(ids(search(service, **day))) == sorted(
        ["first", "first", "second", "out", "seen", "replaced"]
    )
    # What lasts into the time is of it; what was only seen is where it begins.
    time = {"from_s": START_S + HOUR_S + 1, "to_s": START_S + 2 * HOUR_S}
    assert sorted(ids(search(service, **time))) == ["first", "out"]
    assert ids(search(service, **time, kind="outage")) == ["out"]
    assert ids(search(service, kind="adjustment")) == ["credit"]
    terms = search(service, kind="terms", lease="lease-a")["events"]
    assert [event["payload"]["data"]["lease_id"] for event in terms] == ["lease-a"]
    assert pages(service, kind="terms", limit=1)[1:] == [[terms[0]["id"]]]
    assert [e["source"] for e in search(service, id="first")["events"]] == [
        "collector/1", "collector/2",
    ]  # fmt: skip
    assert ids(search(service, id="first", source="collector/2")) == ["first"]
    assert ids(search(service, id="never")) == []
    everything = pages(service, limit=3)
    assert [len(page) for page in everything] == [3, 3, 3]
    assert everything[0][0] == "replaced"


@pytest.mark.both_databases
def test_log__event__stands_as_what_was_told_later_left_it(service: Service) -> None:
    ledger = service.ledger
    ledger.clock.now_s = START_S + DAY_S
    used, kept = ledger.usage(0, 0, HOUR_S), ledger.usage(1, 0, HOUR_S)
    void = ledger.void(used)
    void["data"]["reason"] = "another renter's"
    opened = {**ledger.allocation(2, 0), "id": "opened"}
    running = {**ledger.allocation(3, 0), "id": "running"}
    told = (used, kept, opened, running, void, ledger.ended(opened, HOUR_S))
    assert ledger.codes(*told) == ["accepted"] * 6
    close(service, 1)

    events = {e["id"]: e for e in search(service)["events"]}

    assert events[kept["id"]] == {
        "entry": 3,
        "place": 1,
        "source": "collector/1",
        "id": kept["id"],
        "type": kept["type"],
        "recorded_at_s": START_S + DAY_S,
        "state": "stands",
        "time": {
            "kind": "usage",
            "start_s": START_S,
            "end_s": START_S + HOUR_S,
            "until_s": START_S + HOUR_S,
        },
        "voided_by": None,
        "sealed": False,
        "correctable": True,
        "stated_in": 0,
        "payload": kept,
    }
    gone = events[used["id"]]
    assert (gone["state"], gone["correctable"]) == ("voided", False)
    assert gone["voided_by"] == {
        "source": "collector/1", "id": void["id"], "recorded_at_s": START_S + DAY_S,
        "reason": "another renter's",
    }  # fmt: skip
    assert (events[void["id"]]["state"], events[void["id"]]["time"]) == ("stands", None)
    assert (events["running"]["state"], events["opened"]["state"]) == ("open", "ended")
    assert events["opened"]["time"]["until_s"] == START_S + HOUR_S
    # A minute before the seal is over, and then.
    ledger.clock.now_s = START_S + 3 * DAY_S + 2 * GRACE_S - 1
    assert search(service, id=kept["id"])["events"][0]["sealed"] is False
    ledger.clock.now_s += 1
    sealed = search(service, id=kept["id"])["events"][0]
    assert (sealed["sealed"], sealed["correctable"]) == (True, False)


def test_log__of_a_rare_kind__is_looked_through_in_stretches(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = service.ledger
    ledger.clock.now_s = START_S + DAY_S
    used = ledger.usage(0, 0, HOUR_S)
    void = ledger.void(used)
    ledger.codes(used, void, *(ledger.usage(1, h * HOUR_S, (h + 1) * HOUR_S) for h in range(4)))
    monkeypatch.setattr(log, "MOST_LOOKED_THROUGH", 3)

    assert pages(service, kind="correction") == [[], [void["id"]], []]


@pytest.mark.parametrize("came", [False, True])
def test_log__searched_in_any_way__goes_through_no_table(service: Service, came: bool) -> None:
    """Also once a device was asked to come that the first pledge does not name."""
    ledger = service.ledger
    if came:
        wanted = {"old_uuid": device(0), "uuid": device(50), "card_uuid": device(50)}
        wanted |= {"facility_id": ledger.facility_id, "from_epoch": 1, "pledge_root": bytes(32)}
        wanted |= {"reason": "RMA", "document": b"", "asked_at_s": START_S}
        with transaction(ledger.engine) as connection:
            connection.execute(insert(replacements).values(wanted))
    ledger.clock.now_s = START_S + DAY_S
    used = ledger.usage(0, 0, HOUR_S)
    ledger.codes(used, ledger.usage(1, 0, HOUR_S), ledger.void(used))
    asked: list[tuple[str, Any]] = []
    engine = service_of(service.app).engine
    event.listen(engine, "before_cursor_execute", lambda *args: asked.append(args[2:4]))
    times = {"from_s": START_S, "to_s": START_S + DAY_S}

    for wanted in (
        *({}, {"kind": "correction"}, {"kind": "terms"}, {"id": used["id"]}, {"lease": "lease-a"}),
        *({"device": device(0), **times}, {"lease": "lease-a", **times}, times),
        *({"before": "3-3"}, {"before": "3-3", "device": device(0)}),
    ):
        search(service, **wanted)

    with engine.connect() as connection:
        steps = {
            row[-1]
            for statement, values in tuple(asked)
            if "facts" in statement or "meter_events" in statement
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
        }
    assert any(step.startswith("SEARCH facts USING INDEX ix_facts") for step in steps)
    assert {s for s in steps if s.startswith(("SCAN facts", "SCAN meter_events"))} == set()
    # A whole log is no less than a table, unless it is gone through from its end, a page.
    whole = {s for s in steps if s.endswith("(facility_id=?)") and "COVERING" not in s}
    assert {s.split()[1] for s in whole} == {"meter_events"}


def test_log__search_that_nothing_bounds_or_that_says_nothing__names_the_field(
    service: Service,
) -> None:
    week = 7 * DAY_S

    assert refusal(service, from_s=START_S) == "from_s"
    assert refusal(service, from_s=START_S, to_s=START_S + week + 1) == "from_s"
    assert refusal(service, from_s=START_S, to_s=START_S) == "to_s"
    assert refusal(service, source="collector/1") == "source"
    assert refusal(service, id="e1", device=device(0)) == "id"
    assert refusal(service, kind="terms", device=device(0)) == "kind"
    assert refusal(service, before="first") == "before"
    assert refusal(service, device="gpu0") == "devices"
    assert ids(search(service, from_s=START_S, to_s=START_S + week)) == []
    answer = service.client.get(f"{path(service)}?lease=nobody", headers=service.auth())
    assert problem(answer, 404, "not_found")["reason"] == "lease_unknown"


@pytest.mark.both_databases
def test_preview_http__shows_the_next_statement__and_stores_nothing(service: Service) -> None:
    ledger = service.ledger
    ledger.clock.now_s = START_S + DAY_S
    used = ledger.usage(0, 0, 10 * HOUR_S)
    ledger.codes(used)
    close(service, 1)
    tables = (meter_events, facts, event_rejections, event_conflicts)
    before = [service.count(table) for table in tables]
    twice = {**ledger.usage(1, 0, HOUR_S), "id": used["id"]}

    answer = look_ahead(service, ledger.void(used), ledger.void(used), twice, {"id": "x"})

    assert answer.status_code == 200, answer.text
    shown = answer.json()
    assert [service.count(table) for table in tables] == before
    codes = [r["code"] or r["status"] for r in shown["batch"]["results"]]
    assert codes == ["accepted", "already_voided", "id_conflict", "malformed_event"]
    [statement] = shown["statements"]
    assert statement["epoch"] == 1
    assert statement["cut_off_s"] == START_S + 2 * DAY_S + GRACE_S
    assert statement["after"]["held_back_micros"] == 10 * DOLLAR
    [change] = statement["changes"]
    assert (change["kind"], change["lease_id"]) == ("void", "lease-a")
    assert (change["month_start_s"], change["seconds_after"]) == (START_S, 10 * HOUR_S)
    assert (shown["unforeseen"], shown["waiting"]) == (None, 0)


def test_preview_http__of_a_price_of_the_past__shows_what_it_gives_back(service: Service) -> None:
    ledger = service.ledger
    ledger.clock.now_s = START_S + DAY_S
    ledger.codes(ledger.usage(0, 0, 10 * HOUR_S))
    price = {"effective_from": "2026-01-01T00:00:00Z", "price_micros_per_gpu_hour": 250_000}
    preview = path(service, "/leases/lease-a/prices/preview")

    shown = service.client.post(preview, json=price, headers=service.auth()).json()

    [statement] = shown["statements"]
    assert statement["before"]["gross_micros"] == 10 * DOLLAR
    assert statement["after"]["gross_micros"] == 2_500_000
    made = service.client.post(
        f"/v1/facilities/{ledger.facility_id}/leases/lease-a/prices",
        json=price,
        headers=service.auth(),
    )
    assert made.json() == {"created": True}
    again = service.client.post(preview, json=price, headers=service.auth()).json()
    assert (again["unforeseen"], again["batch"]["results"]) == ("nothing_new", [])


def test_log_and_previews__of_others__are_as_if_they_were_not_there(service: Service) -> None:
    with transaction(service.ledger.engine) as connection:
        _, key = add_operator(
            connection, name="other", address="0x" + "9" * 40, actor="test", now_s=START_S
        )
    price = {"effective_from": "2026-01-01T00:00:00Z", "price_micros_per_gpu_hour": 1}
    preview = path(service, "/leases/lease-a/prices/preview")

    problem(service.client.get(path(service), headers=service.auth(key)), 404, "not_found")
    # Whatever the body says.
    problem(look_ahead(service, {"id": "x"}, key=key), 404, "not_found")
    problem(service.client.post(preview, json=price, headers=service.auth(key)), 404, "not_found")


def test_preview_http__while_one_of_the_operator_is_under_way__is_429(service: Service) -> None:
    gate = service_of(service.app).preview_gate

    with gate.admitted(service.ledger.operator_id):
        answer = look_ahead(service)
    after = look_ahead(service)

    assert problem(answer, 429, "too_many_requests")["reason"] == "preview"
    assert answer.headers["retry-after"] == "2"
    assert after.status_code == 200
