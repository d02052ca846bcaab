"""The simulator against the ledger: bad events get exactly the codes that they announce."""

from scripts.demo.simulate import DAY_S, FACILITIES, Simulation
from tests.factories import START_S, Ledger


def test_simulation__bad_events__get_their_codes_and_good_ones_are_accepted(
    ledger: Ledger,
) -> None:
    """ATTACKS 31, 33."""
    simulated = FACILITIES[0]
    ledger.facility_id = ledger.add_facility(
        range(10, 11),
        gpu_class=simulated.gpu_class,
        device_uuids=[simulated.device(i) for i in range(simulated.gpus)],
    )
    for lease in simulated.leases:
        ledger.add_lease(lease.lease_id, plan=lease.plan)
    simulation = Simulation(simulated, ledger.facility_id, START_S, seed=7)

    for day in range(2):
        ledger.clock.now_s = START_S + (day + 1) * DAY_S
        assert set(ledger.codes(*simulation.day(day))) == {"accepted"}
        bad = simulation.bad(day)
        assert ledger.codes(*(event for event, _ in bad)) == [code for _, code in bad]
