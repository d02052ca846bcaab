"""What an attester's process says of itself."""

from api.attester.health import Health, Number
from api.attester.verdict import Verdict
from api.domain.units import Epoch, FacilityId

_ONE, _TWO = FacilityId(1), FacilityId(2)


class _Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def _verdict(facility_id: FacilityId, *, signed: bool, epoch: int | None = 0) -> Verdict:
    return Verdict(facility_id, None if epoch is None else Epoch(epoch), signed=signed)


def test_problems__of_start_and_steps__stay_until_each_is_mended() -> None:
    beats: list[None] = []
    health = Health(beat=lambda: beats.append(None))

    said = [health.problems()]
    health.begins("the node does not answer")
    said.append(health.problems())
    health.begins()
    health.step("statements", "the service is away")
    health.step("warnings", None)
    said.append(health.problems())
    health.step("statements", None)

    assert said == [("it starts",), ("the node does not answer",), ("the service is away",)]
    assert health.problems() == ()
    assert len(beats) == 5


def test_numbers__statements_signed_and_not__are_by_facility() -> None:
    clock = _Clock()
    health = Health(clock=clock)
    health.begins()
    health.judged([_verdict(_ONE, signed=False), _verdict(_TWO, signed=True)])
    clock.now_s = 160
    health.judged([_verdict(_ONE, signed=False), _verdict(_TWO, signed=False, epoch=None)])
    waiting = health.read()
    clock.now_s = 170
    health.judged([_verdict(_ONE, signed=True)])
    health.numbers = lambda: [Number("attester_memory_bytes", 7)]

    assert waiting == [
        Number("attester_newest_signature_timestamp_seconds", 100, ("2",)),
        Number("attester_unsigned_seconds", 60, ("1",)),
        Number("attester_failing_steps", 0),
    ]
    assert health.read() == [
        Number("attester_newest_signature_timestamp_seconds", 100, ("2",)),
        Number("attester_newest_signature_timestamp_seconds", 170, ("1",)),
        Number("attester_failing_steps", 0),
        Number("attester_memory_bytes", 7),
    ]
