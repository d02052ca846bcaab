"""The HTTP server: its patience, and the signs of life that it gives.

A connection that does not finish a request's head is closed.
"""

import signal
import sys
from asyncio import TimerHandle, Transport
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from api.cli.monitoring import told
from api.settings import Settings
from api.telemetry.checked import Check
from api.telemetry.pulse import Pulse

# The loop never waits for a database or a node: when it stands this long, it stands for ever.
_STUCK_S = 60.0
# Of requests under way when the process is told to end; whatever they wrote is whole or not there.
_LAST_REQUESTS_S = 10
_STARTUP_FAILED = 3


def run_server(
    application: Callable[..., Awaitable[None]],
    readiness: Check,
    settings: Settings,
    *,
    host: str | None,
    port: int | None,
) -> None:
    """Serve until a signal ends it. Raises Misconfigured if the port of probes is taken."""
    pulse = Pulse(_STUCK_S, what="the loop that answers has stood still")

    async def beat() -> None:
        pulse.beat()

    def ready() -> Sequence[str]:
        return readiness() if pulse.begun else ("it does not listen yet",)

    server = uvicorn.Server(
        uvicorn.Config(
            application,
            host=host or settings.host,
            port=settings.port if port is None else port,
            http=impatient(settings.body_timeout_s),
            log_config=None,
            log_level="warning",
            # Uvicorn believes any client on this machine what it says of others.
            proxy_headers=False,
            callback_notify=beat,
            timeout_notify=1,
            timeout_graceful_shutdown=_LAST_REQUESTS_S,
        )
    )
    # Uvicorn ends its work, then raises the signal once more: so that we end ours too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with told(settings, "api", pulse, ready), suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        sys.exit(_STARTUP_FAILED)


def impatient(head_timeout_s: float) -> type[H11Protocol]:
    """Protocol for uvicorn, which itself waits for ever for the rest of a head."""

    class Impatient(H11Protocol):
        _timer: TimerHandle | None = None

        def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self._wait_for_head()

        def on_response_complete(self) -> None:
            super().on_response_complete()
            self._wait_for_head()

        def _wait_for_head(self) -> None:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = self.loop.call_later(head_timeout_s, self._give_up)

        def _give_up(self) -> None:
            # A request that is being answered has its own limits, and waits anew when it is done.
            answering = self.cycle is not None and not self.cycle.response_complete
            if not answering and not self.transport.is_closing():
                self.transport.close()

    return Impatient
