"""What every long process of the service starts with: its log, and the port that tells of it."""

from collections.abc import Iterator
from contextlib import contextmanager

from api.settings import Settings
from api.telemetry.checked import Check, Checked
from api.telemetry.logs import start_logging
from api.telemetry.pulse import Pulse
from api.telemetry.serving import monitored
from api.telemetry.systemd import supervised
from api.telemetry.traces import traced


@contextmanager
def watched(settings: Settings, process: str, check: Check) -> Iterator[Pulse]:
    """Start the log, and tell of the process until the block ends.

    Args:    check: what keeps the process from working now, in words; asked every few seconds.
    Yields:  what the process's loop beats in every round.
    Raises:  Misconfigured if the port is taken.
    """
    pulse, readiness = Pulse(settings.monitor_stale_s), Checked(check)
    with readiness.running(), told(settings, process, pulse, readiness.problems):
        yield pulse


@contextmanager
def told(settings: Settings, process: str, pulse: Pulse, ready: Check) -> Iterator[None]:
    """Start the log, answer `/livez`, `/readyz` and `/metrics`, and keep systemd's watchdog quiet.

    Args:    pulse: beaten by the process's loop.  ready: what keeps it from working.
    Raises:  Misconfigured if the port is taken.
    """
    start_logging(process, settings.log_level)
    host, port = settings.monitor_host, settings.monitor_port
    with (
        traced(process, settings.otlp_url),
        monitored(host, port, live=pulse.problems, ready=ready),
        supervised(live=pulse.problems, ready=ready),
    ):
        yield
