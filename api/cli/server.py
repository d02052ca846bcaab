"""The HTTP server's patience.

A connection that does not finish a request's head is closed.
"""

from asyncio import TimerHandle, Transport

from uvicorn.protocols.http.h11_impl import H11Protocol


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
