"""A JSON-RPC proxy in front of a real node, for faults on the way: a thread, a URL and some rules.

    with ChainProxy(chain.rpc_url) as proxy:
        proxy.on("eth_getLogs", chain_faults.empty, times=1)
        client = ChainClient(proxy.url)

A fault is a function of what is asked and of `forward`, which asks the node. It gives what the
client gets, or raises `Cut`, `Html`, ... for the whole HTTP request. `tests/chain_faults.py` names
those that nodes have; a test adds its own as a lambda. Newer rules are tried first, and each
forwards to the older ones. `asked` keeps every method and its parameters, `faults` the number of
times that a fault was played.
"""

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import httpx

ANY = "*"
# {"result": ...} or {"error": {"code": ..., "message": ...}}.
Reply = dict[str, Any]


@dataclass(frozen=True)
class Ask:
    """One call of a client."""

    method: str
    params: list[Any]
    proxy: "ChainProxy"

    def node(self, method: str, *params: Any) -> Any:
        """What the node itself says: its result."""
        return self.proxy.node(method, *params)


Forward = Callable[[Ask], Reply]
Fault = Callable[[Ask, Forward], Reply]


class WholeAnswer(Exception):
    """Instead of a JSON-RPC answer: this HTTP answer."""

    def __init__(self, status: int, body: bytes, **headers: str) -> None:
        super().__init__(status)
        self.status, self.body, self.headers = status, body, headers


class Cut(Exception):
    """The connection ends without an answer, or after `part` of the true one (0 to 1)."""

    def __init__(self, part: float = 0) -> None:
        super().__init__(part)
        self.part = part


@dataclass(eq=False)
class _Rule:
    method: str
    fault: Fault
    left: int | None
    when: Callable[[Ask], bool]

    def takes(self, ask: Ask) -> bool:
        return self.method in {ANY, ask.method} and self.left != 0 and self.when(ask)


@dataclass
class ChainProxy:
    """The proxy. `target` may be changed while it runs: another chain behind the same URL."""

    target: str
    asked: list[tuple[str, list[Any]]] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    requests: int = 0
    # Set: what stalls goes on. Closing sets it.
    released: threading.Event = field(default_factory=threading.Event)
    _rules: list[_Rule] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._upstream = httpx.Client(timeout=60)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self) -> str:
        """Where clients find it."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop, and let go of what stalls."""
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
        self._upstream.close()

    def on(
        self,
        method: str,
        fault: Fault,
        *,
        times: int | None = None,
        when: Callable[[Ask], bool] = lambda _ask: True,
    ) -> None:
        """Play a fault on a method (ANY: on all of them), `times` times or until `clear`."""
        with self._lock:
            self._rules.append(_Rule(method, fault, times, when))

    @contextmanager
    def during(self, method: str, fault: Fault, **more: Any) -> Iterator[None]:
        """Play a fault inside a `with`."""
        self.on(method, fault, **more)
        rule = self._rules[-1]
        try:
            yield
        finally:
            with self._lock:
                if rule in self._rules:
                    self._rules.remove(rule)

    def clear(self) -> None:
        """Healthy again; what stalls goes on."""
        with self._lock:
            self._rules.clear()
        self.released.set()
        self.released = threading.Event()

    def forget(self) -> None:
        """Count from zero again."""
        with self._lock:
            self.asked.clear()
            self.faults.clear()
            self.requests = 0

    def count(self, method: str) -> int:
        """How often a method was asked."""
        return sum(asked == method for asked, _ in self.asked)

    def node(self, method: str, *params: Any) -> Any:
        """What the node itself says."""
        return self._forward(Ask(method, list(params), self)).get("result")

    def _forward(self, ask: Ask) -> Reply:
        body = {"jsonrpc": "2.0", "id": 1, "method": ask.method, "params": ask.params}
        answer: Reply = self._upstream.post(self.target, json=body).json()
        return {k: answer[k] for k in ("result", "error") if k in answer}

    def reply(self, ask: Ask) -> Reply:
        """The answer to one call, through all rules that take it."""
        with self._lock:
            self.asked.append((ask.method, ask.params))
            rules = [rule for rule in self._rules if rule.takes(ask)]
        return self._through(rules, ask)

    def _through(self, rules: list[_Rule], ask: Ask) -> Reply:
        if not rules:
            return self._forward(ask)
        *older, newest = rules
        with self._lock:
            if newest.left is not None:
                newest.left -= 1
            self.faults[getattr(newest.fault, "__name__", "fault")] += 1
        return newest.fault(ask, lambda changed: self._through(older, changed))

    def answer(self, raw: bytes) -> bytes:
        """Body for body. A batch is answered call by call."""
        with self._lock:
            self.requests += 1
        asked = json.loads(raw)
        calls = asked if isinstance(asked, list) else [asked]
        answers, cut = [], None
        for call in calls:
            ask = Ask(call["method"], call.get("params", []), self)
            try:
                reply = self.reply(ask)
            except Cut as caught:
                cut, reply = caught, {"result": None}
                if caught.part == 0:
                    raise
            answers.append({"jsonrpc": "2.0", "id": call["id"]} | reply)
        body = json.dumps(answers if isinstance(asked, list) else answers[0]).encode()
        if cut is not None:
            raise WholeAnswer(200, body[: max(1, int(len(body) * cut.part))])
        return body


def _handler(proxy: ChainProxy) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            try:
                self._send(200, proxy.answer(raw), {"Content-Type": "application/json"})
            except WholeAnswer as whole:
                self._send(whole.status, whole.body, whole.headers)
            except (Cut, httpx.TransportError):
                # Also a node that is down behind the proxy.
                self.close_connection = True

        def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: object) -> None:
            """Say nothing."""

        def handle(self) -> None:
            # A client may go away before it has its answer.
            try:
                super().handle()
            except (ConnectionError, ValueError):
                return

    return Handler
