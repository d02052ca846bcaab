"""The agent's health: what it sees, has sent and still holds, as JSON on a loopback port."""

import http.server
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import orjson

from api.agent.clock import AgentClock
from api.agent.failures import SpoolFailed
from api.agent.receipts import newest_receipts
from api.agent.sender import SenderState
from api.agent.spool import Spool
from api.agent.wiring import Worker
from api.domain.log.receipts import Receipt
from api.errors import EvidenceInvalid
from api.local.settings_table import SettingsWrong

_LOOPBACK = "127.0.0.1"
# Problems of the last day are shown, so many of them.
_RECENT_S, _MOST_SHOWN = 86_400, 50


def health_of(
    *,
    name: str,
    clock: AgentClock,
    spool: Spool,
    sender: SenderState,
    author: str,
    workers: Sequence[Worker],
    skew_warning_s: int,
) -> dict[str, object]:
    """Everything that a person or a monitor asks for. `status` is `ok` or `failing`.

    Args:    author: whose receipts these are: the agent's key.
    """
    now_s = clock.now_s()
    failures = [f"{w.kind}: {w.failure}" for w in workers if w.failure]
    if sender.failure:
        failures.append(f"sender: {sender.failure}")
    if abs(clock.skew_s or 0) > skew_warning_s:
        failures.append(f"clock: {clock.sentence()}")
    if sender.receipts_off_s:
        off = f"the newest says a second that is {sender.receipts_off_s} s off this machine's clock"
        failures.append(f"receipts: {off}")
    shown: dict[str, object] = {}
    receipts: list[Receipt] = []
    try:
        depth = spool.depth()
        problems = spool.problems(since_s=now_s - _RECENT_S)
        receipts = newest_receipts(spool, author)
        shown = {
            "waiting": depth.waiting,
            "oldest_waiting_s": depth.oldest_waiting_s,
            "refused": depth.refused,
            "open_allocations": depth.open_allocations,
        }
    except (SpoolFailed, EvidenceInvalid) as error:
        problems = []
        failures.append(f"spool: {error.message}")
    return {
        "status": "failing" if failures else "ok",
        "failures": failures,
        "name": name,
        "now_s": now_s,
        "skew_s": clock.skew_s,
        "spool": shown,
        "sender": _sender(sender, receipts, author=author),
        "sources": {
            w.kind: {
                "last_seen_s": w.last_ok_s,
                "failure": w.failure,
                "failing_since_s": w.failing_since_s,
                "frozen": w.frozen(),
            }
            for w in workers
        },
        "problems": [
            {
                "source": p.source,
                "kind": p.kind,
                "subject": p.subject,
                "detail": p.detail,
                "first_s": p.first_s,
                "last_s": p.last_s,
                "times": p.times,
            }
            for p in problems[:_MOST_SHOWN]
        ],
    }


def _sender(sender: SenderState, receipts: Sequence[Receipt], *, author: str) -> dict[str, object]:
    return {
        "last_sent_s": sender.last_sent_s,
        "sent": sender.sent,
        "refused": sender.refused,
        "failing_since_s": sender.failing_since_s,
        "author": author,
        "receipts_off_s": sender.receipts_off_s,
        "given_back": sender.given_back,
        "receipts": [
            {
                "log": str(receipt.entry.log),
                "entry": receipt.entry.number,
                "recorded_at_s": receipt.entry.recorded_at_s,
            }
            for receipt in receipts
        ],
    }


@contextmanager
def serving_health(port: int, shown: Callable[[], dict[str, object]]) -> Iterator[None]:
    """Answer `GET /health` on the loopback until the block ends; port 0 answers nothing.

    Raises:  SettingsWrong if the port is taken.
    """
    if port == 0:
        yield
        return

    class Handler(http.server.BaseHTTPRequestHandler):
        """One path, 200 if all is well and 503 if something fails."""

        timeout = 10

        def do_GET(self) -> None:
            if self.path != "/health":
                self.send_error(http.HTTPStatus.NOT_FOUND)
                return
            said = shown()
            fine = said["status"] == "ok"
            body = orjson.dumps(said)
            status = http.HTTPStatus.OK if fine else http.HTTPStatus.SERVICE_UNAVAILABLE
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing: a monitor asks every few seconds."""

    try:
        server = http.server.ThreadingHTTPServer((_LOOPBACK, port), Handler)
    except OSError as error:
        raise SettingsWrong(f"[agent] health_port: {port} is taken: {error.strerror}") from error
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.2,), name="health")
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
