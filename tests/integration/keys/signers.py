"""A stand-in for Web3Signer: its HTTP interface for Ethereum 1 keys, with real keys behind it."""

import http.server
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from eth_keys.datatypes import PrivateKey

from api.domain.hashing import keccak


@dataclass
class Web3Signer:
    """What it holds, was asked, and does to what it answers."""

    keys: list[PrivateKey]
    url: str = ""
    asked: list[tuple[str, bytes]] = field(default_factory=list)
    spoil: Callable[[bytes], str] = lambda signature: "0x" + signature.hex()
    listed: str | None = None


@contextmanager
def web3signer(*keys: str) -> Iterator[Web3Signer]:
    """Serve on a free port until the block ends."""
    held = Web3Signer([PrivateKey(bytes.fromhex(key.removeprefix("0x"))) for key in keys])

    class Handler(http.server.BaseHTTPRequestHandler):
        def _answer(self, status: int, kind: str, body: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def do_GET(self) -> None:
            if self.path != "/api/v1/eth1/publicKeys":
                self._answer(404, "text/plain", "")
                return
            names = [key.public_key.to_hex() for key in held.keys]
            text = json.dumps(names) if held.listed is None else held.listed
            self._answer(200, "application/json", text)

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            data = bytes.fromhex(json.loads(self.rfile.read(length))["data"][2:])
            name = self.path.removeprefix("/api/v1/eth1/sign/")
            held.asked.append((name, data))
            for key in held.keys:
                if key.public_key.to_hex() == name:
                    made = key.sign_msg_hash(keccak(data)).to_bytes()
                    body = held.spoil(made[:64] + bytes([made[64] + 27]))
                    self._answer(200, "text/plain; charset=utf-8", body)
                    return
            self._answer(404, "text/plain", "Public Key not found")

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    held.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield held
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
