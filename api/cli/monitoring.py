"""What every long process of the service starts with: its log, and the port that tells of it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from api.settings import Settings
from api.telemetry.checked import Checked
from api.telemetry.logs import start_logging
from api.telemetry.pulse import Pulse
from api.telemetry.serving import monitored
from api.telemetry.traces import traced


@contextmanager
def watched(
    settings: Settings, process: str, check: Callable[[], Sequence[str]]
) -> Iterator[Pulse]:
    """Start the log, and answer `/livez`, `/readyz` and `/metrics` until the block ends.

    Args:    check: what keeps the process from working now, in words; asked every few seconds.
    Yields:  what the process's loop beats in every round.
    Raises:  Misconfigured if the port is taken.
    """
    start_logging(process, settings.log_level)
    pulse, readiness = Pulse(settings.monitor_stale_s), Checked(check)

    def live() -> list[str]:
        problem = pulse.problem()
        return [] if problem is None else [problem]

    with (
        traced(process, settings.otlp_url),
        readiness.running(),
        monitored(
            settings.monitor_host, settings.monitor_port, live=live, ready=readiness.problems
        ),
    ):
        yield pulse
