"""The agent's health: what it sees, has sent and still holds, as JSON on a loopback port."""

import http.server
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

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
from api.telemetry.serving import exposed

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
    """Answer `/health`, `/livez`, `/readyz` and `/metrics` on the loopback until the block ends.

    Port 0 answers nothing.

    Raises:  SettingsWrong if the port is taken.
    """
    if port == 0:
        yield
        return

    class Handler(http.server.BaseHTTPRequestHandler):
        """Of all but /livez 503 says that something fails."""

        timeout = 10

        def do_GET(self) -> None:
            answers = {"/health": _health, "/livez": _live, "/readyz": _ready, "/metrics": _numbers}
            answer = answers.get(self.path)
            if answer is None:
                self.send_error(http.HTTPStatus.NOT_FOUND)
                return
            status, kind, body = answer(shown())
            self.send_response(status)
            self.send_header("Content-Type", kind)
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


_Answer = tuple[http.HTTPStatus, str, bytes]
_JSON = "application/json"


def _status(said: Mapping[str, object]) -> http.HTTPStatus:
    fine = said["status"] == "ok"
    return http.HTTPStatus.OK if fine else http.HTTPStatus.SERVICE_UNAVAILABLE


def _health(said: Mapping[str, object]) -> _Answer:
    return _status(said), _JSON, orjson.dumps(said)


def _live(_said: Mapping[str, object]) -> _Answer:
    # A thread that breaks ends the process: what answers lives.
    return http.HTTPStatus.OK, _JSON, orjson.dumps({"status": "ok", "problems": []})


def _ready(said: Mapping[str, object]) -> _Answer:
    short = {"status": said["status"], "problems": said["failures"]}
    return _status(said), _JSON, orjson.dumps(short)


# By the part of health that holds each: what it means.
_NUMBERS = {
    ("spool", "waiting"): "Events that wait to be sent.",
    ("spool", "oldest_waiting_s"): "Seconds that the oldest of them has waited.",
    ("spool", "refused"): "Events that the service refused.",
    ("spool", "open_allocations"): "Allocations that go on.",
    ("sender", "sent"): "Events that the service took since the start.",
}


def _numbers(said: Mapping[str, Any]) -> _Answer:
    found = {
        f"rentroll_agent_{name.removesuffix('_s')}{'_seconds' if name.endswith('_s') else ''}": (
            about,
            float(said[part].get(name) or 0),
        )
        for (part, name), about in _NUMBERS.items()
    }
    found["rentroll_agent_failing"] = "1: something fails.", float(said["status"] != "ok")
    kind, body = exposed(found)
    return http.HTTPStatus.OK, kind, body
