"""The far side of the agent's bench: exporters of 8 GPUs each, and a service that takes all."""

import http.server
import sys
import uuid

import orjson

_NAMESPACE = uuid.UUID("0d3a4c1e-55c7-4b0e-9f5d-7a0a4a3b2f10")
CARDS = 8
# What an exporter prints of each card by its default list of counters.
_GAUGES = (
    *("SM_CLOCK", "MEM_CLOCK", "MEMORY_TEMP", "GPU_TEMP", "POWER_USAGE", "PCIE_REPLAY_COUNTER"),
    *("GPU_UTIL", "MEM_COPY_UTIL", "ENC_UTIL", "DEC_UTIL", "XID_ERRORS", "FB_FREE", "FB_USED"),
    *("FB_RESERVED", "NVLINK_BANDWIDTH_TOTAL", "VGPU_LICENSE_STATUS"),
    *("UNCORRECTABLE_REMAPPED_ROWS", "CORRECTABLE_REMAPPED_ROWS", "ROW_REMAP_FAILURE"),
)


def gpu(index: int) -> str:
    """Name of a card."""
    return f"GPU-{uuid.uuid5(_NAMESPACE, str(index))}"


def exported(number: int, count: int) -> bytes:
    """What an exporter prints at its `count`th scrape."""
    lines = []
    for place in range(CARDS):
        labels = (
            f'gpu="{place}",UUID="{gpu(number * CARDS + place)}",pci_bus_id="00000000:{place:02}:0"'
            f',device="nvidia{place}",modelName="NVIDIA H100 80GB HBM3",hostname="n{number}"'
        )
        lines += [f"DCGM_FI_DEV_{name}{{{labels}}} {count % 97}" for name in _GAUGES]
        energy = 1_000_000 + count * 9_000_000
        lines.append(f"DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION{{{labels}}} {energy}")
    return ("\n".join(lines) + "\n").encode()


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    counts: dict[int, int] = {}  # noqa: RUF012, one server a process

    def do_GET(self) -> None:
        if self.path == "/health":
            self._say(b"{}")
            return
        number = int(self.path.rsplit("/", 1)[1])
        self.counts[number] = count = self.counts.get(number, 0) + 1
        self._say(exported(number, count))

    def do_POST(self) -> None:
        events = orjson.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self._say(orjson.dumps({"results": [{"status": "accepted"} for _ in events]}))

    def _say(self, body: bytes) -> None:
        self.send_response(http.HTTPStatus.OK)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def main() -> None:
    """Serve on a free port of the loopback, and print it."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    sys.stdout.write(f"{server.server_address[1]}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
