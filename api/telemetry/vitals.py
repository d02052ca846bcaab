"""Numbers that are read now and then, and kept for whoever scrapes: a scrape waits for nothing."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import Protocol

from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from api.telemetry.logs import log_bug

_PREFIX = "rentroll_"
# What each means, and its labels. docs/OPERATE.md and deploy/prometheus name them by the prefix.
NAMES: Mapping[str, tuple[str, tuple[str, ...]]] = MappingProxyType(
    {
        "intents": ("Intents that are due, or signed and not final.", ("kind", "state")),
        "oldest_intent_seconds": ("Age of the oldest intent that is not final.", ()),
        "open_nonces": ("Nonces of a relayer that are not final yet.", ("sender",)),
        "nonce_gap": ("Nonces below the highest open one that no transaction has.", ("sender",)),
        "relayer_stopped": ("1: nothing can be sent with this key.", ("sender",)),
        "relayer_balance_wei": ("What a relayer has for gas.", ("sender",)),
        "facility_overdue_seconds": (
            "For so long the first epoch that is not posted could have been.",
            ("facility",),
        ),
        "facility_newest_posting_timestamp_seconds": (
            "Block time of the newest posting that stands.",
            ("facility",),
        ),
        "attester_newest_signature_timestamp_seconds": (
            "When this process signed a statement last.",
            ("facility",),
        ),
        "attester_unsigned_seconds": (
            "For so long the service has shown a statement that is not signed.",
            ("facility",),
        ),
        "attester_log_entries_unsigned": (
            "Entries that the service showed of a log, behind what was signed over.",
            ("facility",),
        ),
        "attester_refusals": ("Refusals of this attester in force.", ("facility",)),
        "attester_memory_bytes": ("Size of the file of what was signed.", ()),
        "attester_failing_steps": ("Parts of a round that failed when last tried.", ()),
        "attester_balance_wei": ("What refusals on-chain are paid with.", ("sender",)),
        "refusals": ("Refusals in force.", ("attester",)),
        "work": ("Steps of the queue.", ("step", "state")),
        "work_failing_seconds": ("For so long the oldest failing step has failed.", ("step",)),
        "index_state": ("1 for the state that the index is in.", ("state",)),
        "index_behind_blocks": ("Blocks that are not indexed yet.", ()),
        "index_final_block": ("Newest indexed block that is final.", ()),
        "index_unseen_seconds": ("Since the index last saw the chain.", ()),
        "rpc_up": ("1: the provider is asked; 0: it rests, or is of another chain.", ("provider",)),
        "rpc_requests": ("Requests to a provider since the start.", ("provider",)),
        "rpc_failures": ("Of these, without a good answer.", ("provider",)),
    }
)


class Named(Protocol):
    """One number."""

    @property
    def name(self) -> str: ...
    @property
    def value(self) -> float: ...
    @property
    def labels(self) -> tuple[str, ...]: ...


class Vitals(Collector):
    """Reads every so often, in a thread of its own; what is too old is not shown."""

    def __init__(
        self,
        read: Callable[[], Sequence[Named]],
        *,
        every_s: float = 15.0,
        stale_s: float = 120.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read, self._every_s, self._stale_s, self._clock = read, every_s, stale_s, clock
        self._last: tuple[float, Sequence[Named]] | None = None

    def look(self) -> None:
        """Read now."""
        try:
            found = self._read()
        except Exception as error:  # it is tried again; until then the last numbers grow old
            log_bug("vitals", error)
            return
        self._last = self._clock(), found

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """The last numbers, and how old they are."""
        last = self._last
        age = GaugeMetricFamily(
            f"{_PREFIX}vitals_age_seconds", "Since the numbers of rows were read."
        )
        if last is None:
            return
        age_s = self._clock() - last[0]
        age.add_metric((), age_s)
        yield age
        if age_s > self._stale_s:
            return
        families: dict[str, GaugeMetricFamily] = {}
        for vital in last[1]:
            if vital.name not in families:
                about, labels = NAMES[vital.name]
                families[vital.name] = GaugeMetricFamily(
                    f"{_PREFIX}{vital.name}", about, labels=labels
                )
            families[vital.name].add_metric(vital.labels, float(vital.value))
        yield from families.values()

    @contextmanager
    def running(self, registry: CollectorRegistry = REGISTRY) -> Iterator[None]:
        """Read and show until the block ends."""
        stop = threading.Event()

        def loop() -> None:
            while not stop.is_set():
                self.look()
                stop.wait(self._every_s)

        # A daemon: what hangs does not hold up the end of its process.
        thread = threading.Thread(target=loop, name="vitals", daemon=True)
        registry.register(self)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            registry.unregister(self)
            thread.join(0.5)
