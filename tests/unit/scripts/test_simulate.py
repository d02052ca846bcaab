"""The simulator: the same events for the same seed, good ones good and bad ones bad by name."""

from api.domain.hashing import device_hash
from api.domain.metering.events import AVAILABILITY, CORRECTION, SEEN, USAGE, parse_event
from api.domain.metering.instants import format_instant
from api.domain.metering.intervals import overlap
from scripts.demo.simulate import DAY_S, FACILITIES, SimulatedFacility, Simulation
from tests.unit.values import START_S

DAYS = 3


def _events(facility: SimulatedFacility, seed: int) -> list[dict[str, object]]:
    simulation = Simulation(facility, 1, START_S, seed)
    return [event for day in range(DAYS) for event in simulation.day(day)]


def test_simulation__same_seed__is_the_same_and_another_is_not() -> None:
    for facility in FACILITIES:
        assert _events(facility, 7) == _events(facility, 7)
        assert _events(facility, 7) != _events(facility, 8)


def test_simulation__good_events__parse_have_ids_of_their_own_and_never_overlap() -> None:
    for facility in FACILITIES:
        # Of uses by themselves, and of outages: one told late lies over a use, and beats it.
        taken: dict[tuple[object, bytes], list[tuple[int, int]]] = {}
        events = _events(facility, 7)
        for event in events:
            parsed = parse_event(event)
            if event["type"] in (USAGE, AVAILABILITY):
                device = parsed.device_hash  # type: ignore[union-attr]
                spans = taken.setdefault((event["type"], device), [])
                span = (parsed.start_s, parsed.end_s)  # type: ignore[union-attr]
                assert not any(overlap([span], [other]) for other in spans)
                spans.append(span)
        assert len({event["id"] for event in events}) == len(events)
        assert {e["type"] for e in events} == {USAGE, AVAILABILITY, CORRECTION, SEEN}
        devices = {device_hash(facility.device(i)) for i in range(facility.gpus)}
        assert {device for _, device in taken} <= devices


def test_simulation__each_day_after_the_first__brings_one_late_record_and_one_void() -> None:
    simulation = Simulation(FACILITIES[0], 1, START_S, 7)
    sent: set[object] = set()

    for day in range(DAYS):
        late = []
        for event in simulation.day(day):
            if event["type"] == USAGE and event["data"]["start"] < format_instant(
                START_S + day * DAY_S
            ):
                late.append(event)
            if event["type"] == CORRECTION:
                assert event["data"]["corrects"]["id"] in sent
            sent.add(event["id"])
        assert len(late) == (1 if day else 0)


def test_simulation__leases__fit_their_facility() -> None:
    for facility in FACILITIES:
        gpus = [g for x in facility.leases for g in range(x.first_gpu, x.first_gpu + x.gpus)]
        assert len(set(gpus)) == len(gpus) <= facility.gpus
        assert max(gpus) < facility.gpus
        for lease in facility.leases:
            assert (lease.plan == "take_or_pay") == (lease.committed_gpus > 0)


def test_terms__of_the_simulated_devices__have_distinct_hashes() -> None:
    uuids = [f.device(i) for f in FACILITIES for i in range(f.gpus)]

    assert len({device_hash(uuid) for uuid in uuids}) == len(uuids)
