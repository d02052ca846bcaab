"""The attester's process: its rounds, and what it tells of itself meanwhile."""

import threading

from api.attester.health import Health
from api.attester.running import run_attester
from api.attester.settings import AttesterSettings
from api.telemetry.logs import log
from api.telemetry.pulse import Pulse
from api.telemetry.serving import monitored
from api.telemetry.systemd import supervised
from api.telemetry.vitals import Vitals


def run_process(settings: AttesterSettings, stop: threading.Event) -> None:
    """Run until `stop` is set, with probes, metrics, and signs of life for systemd.

    Raises:  AppError if it cannot begin, or the port of probes is taken.
    """
    told = settings.metrics
    pulse = Pulse(told.stale_s)
    health = Health(beat=pulse.beat)
    with (
        monitored(told.host, told.port, live=pulse.problems, ready=health.problems),
        supervised(live=pulse.problems, ready=health.problems),
        Vitals(health.read).running(),
    ):
        run_attester(settings, stop, log=log, health=health)
