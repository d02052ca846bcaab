"""A collector: pushes what GPUs did and when it saw them, retries safely, runs again at any time.

    python examples/collector.py API_URL FACILITY_ID < intervals.ndjson

Each line of the input is one interval, with times in RFC 3339:
{"device": "GPU-…", "lease": "…", "start": "…", "end": "…"}. One without a lease says that the
device was seen, used or idle: of a device that nothing speaks of, holders do not believe that it
is there. A key of the operator with the scope `events:write` comes from the environment,
RENTROLL_API_KEY. Python's own library is enough.
"""

import json
import os
import sys
import time
import urllib.error
import urllib.request
from datetime import datetime
from typing import Any

# Names this collector for ever: `source` and `id` together say which event an event is.
SOURCE = "collector/example"
BATCH, ATTEMPTS = 1_000, 8


def event(facility_id: int, interval: dict[str, str]) -> dict[str, Any]:
    """One CloudEvent. Its id is made of what it says, so that every run gives the same one."""
    data: dict[str, Any] = {"facility_id": facility_id, **interval}
    used = "lease" in interval
    if used:
        start, end = (datetime.fromisoformat(interval[name]) for name in ("start", "end"))
        data["gpu_seconds"] = int((end - start).total_seconds())
    what = interval["lease"] if used else "seen"
    return {
        "specversion": "1.0",
        "type": "rentroll.gpu.usage.v1" if used else "rentroll.gpu.seen.v1",
        "source": SOURCE,
        "id": "/".join((interval["device"], what, interval["start"], interval["end"])),
        "data": data,
    }


def push(api_url: str, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Results of one batch. Sending it again is safe: what is known is answered `duplicate`."""
    headers = {
        "Authorization": f"Bearer {os.environ['RENTROLL_API_KEY']}",
        "Content-Type": "application/cloudevents-batch+json",
    }
    request = urllib.request.Request(f"{api_url}/v1/events", json.dumps(events).encode(), headers)
    for attempt in range(ATTEMPTS):
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                results: list[dict[str, Any]] = json.load(answer)["results"]
                return results
        except urllib.error.HTTPError as error:
            if error.code < 500 and error.code not in (408, 429):
                raise SystemExit(f"refused: {error.read().decode()}") from error
        except OSError:
            pass  # The answer was lost. Whether the batch arrived does not matter.
        time.sleep(2**attempt)
    raise SystemExit(f"no answer after {ATTEMPTS} attempts: run it again later")


def main(api_url: str, facility_id: str) -> int:
    """Push standard input; 1 if an event was rejected."""
    events = [event(int(facility_id), json.loads(line)) for line in sys.stdin]
    results: list[dict[str, Any]] = []
    for i in range(0, len(events), BATCH):
        results += push(api_url, events[i : i + BATCH])
    for status in ("accepted", "duplicate", "rejected"):
        print(status, sum(result["status"] == status for result in results))
    rejected = [result for result in results if result["status"] == "rejected"]
    for result in rejected:
        print(result["id"], result["code"], result["detail"], file=sys.stderr)
    return int(bool(rejected))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
