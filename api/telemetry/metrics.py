"""Numbers that a process counts as it works. docs/OPERATE.md describes every one.

What rows can tell is asked of the database when somebody scrapes, and counted nowhere.
"""

from importlib.metadata import version

from prometheus_client import Counter, Histogram, Info

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

BUILD = Info("rentroll_build", "Version that runs.")
BUILD.info({"version": version("rentroll")})

HTTP_REQUESTS = Counter(
    "rentroll_http_requests", "Answers of the API.", ["method", "route", "status"]
)
HTTP_SECONDS = Histogram(
    "rentroll_http_request_seconds",
    "Seconds from the first byte of a request to the last of its answer.",
    ["route"],
    buckets=_SECONDS,
)
REFUSED = Counter(
    "rentroll_refused_requests",
    "Requests beyond a share, by whose and of what.",
    ["share", "reason"],
)
EVENTS = Counter("rentroll_events", "Meter events by what was answered.", ["answer"])
ROUNDS = Counter("rentroll_worker_rounds", "Rounds of the worker, by how they ended.", ["result"])
ROUND_SECONDS = Histogram(
    "rentroll_worker_round_seconds", "Seconds of a round of the worker.", buckets=_SECONDS
)
