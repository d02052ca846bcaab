"""What goes wrong in a chaotic run, drawn from a seed: storm after storm."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection
from contextlib import suppress

from tests import chain_faults as fault
from tests.chain_proxy import ANY, Fault
from tests.chaos.site import CONFIRMATIONS, RELAYERS, Site

GWEI = 10**9
_LONGEST_OUTAGE_S = 20.0
# What makes a node say things that are not so, or no more so.
_LIES = frozenset({"behind", "null block", "null receipt", "null logs", "no logs", "old nonce"})
# Method and fault of what a node, or what stands before it, does to one request in so many.
_NETWORK: tuple[tuple[str, str, Callable[[random.Random], Fault]], ...] = (
    ("502", ANY, lambda _: fault.http(502)),
    ("429", ANY, lambda _: fault.too_many("0")),
    ("cut", ANY, lambda _: fault.cut),
    ("truncated", ANY, lambda _: fault.truncated),
    ("internal", ANY, lambda _: fault.error(-32603, "internal error")),
    ("limit", ANY, lambda _: fault.error(-32005, "daily request count exceeded")),
    ("behind", ANY, lambda dice: fault.behind(dice.randrange(1, 3))),
    ("null block", "eth_getBlockByNumber", lambda _: fault.result(None)),
    ("null receipt", "eth_getTransactionReceipt", lambda _: fault.result(None)),
    ("null logs", "eth_getLogs", lambda _: fault.result(None)),
    ("no logs", "eth_getLogs", lambda _: fault.result([])),
    ("logs twice", "eth_getLogs", lambda _: fault.changed(lambda logs: logs + logs)),
    ("range cap", "eth_getLogs", lambda _: fault.range_cap(40)),
    ("lost send", "eth_sendRawTransaction", lambda _: fault.lost),
    ("dropped send", "eth_sendRawTransaction", lambda _: fault.dropped_send),
    ("old nonce", "eth_getTransactionCount", lambda _: fault.old_nonce(1)),
)


class Trouble:
    """Plays storms: things that go wrong, one after another."""

    def __init__(
        self, site: Site, dice: random.Random, *, pause_s: float, only: Collection[str] = ()
    ) -> None:
        """Args: pause_s: longest rest between two things.  only: of these things alone."""
        self._site, self._dice, self._pause_s = site, dice, pause_s
        self._held = threading.Lock()
        self._stop = threading.Event()
        self._things_left = 0
        # Whether a node did since the storm began.
        self.lied = False
        self.over = threading.Event()
        self.played: Counter[str] = Counter()
        things: dict[str, tuple[int, Callable[[], str]]] = {
            "kill": (10, self._kill),
            "power cut": (2, self._power_cut),
            "network": (6, self._network),
            "reorg": (2, self._reorg),
            "undo": (1, self._undo),
            "pool": (2, self._pool),
            "fees": (1, self._fees),
            "pause": (1, self._pause),
            "clock": (1, self._clock),
            "key": (1, self._rotate),
        }
        if site.server is not None:
            things["database"] = (1, self._database)
        # Those of the negative controls alone.
        aimed = {"kill worker": (1, self._kill_worker), "worker ahead": (1, self._worker_ahead)}
        named = {**things, **aimed}
        chosen = [named[name] for name in only or things]
        self._weights, self._things = zip(*chosen, strict=True)
        self._thread = threading.Thread(target=self._run)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """End, with everything healed."""
        self._stop.set()
        self._thread.join()
        self.heal()

    def storm(self, things: int) -> None:
        """So many things more go wrong; `over` is set once they did."""
        self.over.clear()
        self.lied = False
        self._things_left = things

    def calm(self) -> None:
        """Nothing more goes wrong, and what was broken is healed."""
        self._things_left = 0
        with self._held:
            self.heal()

    def heal(self) -> None:
        """Networks, clocks and the chain's pool as they should be."""
        for proxy in self._site.proxies.values():
            proxy.clear()
        for name in self._site.processes.names:
            self._site.time.set_clock(name)
        self._site.chain.rpc("evm_setAutomine", True)

    def _run(self) -> None:
        while not self._stop.is_set():
            if not self._things_left:
                self.over.set()
                self._stop.wait(0.02)
                continue
            self._things_left -= 1
            self._stop.wait(self._dice.uniform(0, self._pause_s))
            with self._held:
                (thing,) = self._dice.choices(self._things, self._weights)
                # A chain in mid-reorg may refuse what is asked of it: then nothing happened.
                with suppress(RuntimeError):
                    self.played[thing()] += 1

    def _name(self) -> str:
        return self._dice.choice(self._site.processes.names)

    def _kill(self) -> str:
        name = self._name()
        self._site.processes.kill(name)
        return f"kill {name.split('-')[0]}"

    def _power_cut(self) -> str:
        for name in self._site.processes.names:
            self._site.processes.kill(name)
        return "power cut"

    def _kill_worker(self) -> str:
        self._site.processes.kill("worker")
        return "kill worker"

    def _worker_ahead(self) -> str:
        self._site.time.set_clock("worker", 40 * 86_400)
        self._stop.wait(5)
        self._site.time.set_clock("worker")
        return "clock"

    def _pause(self) -> str:
        self._site.processes.pause(self._name(), self._dice.uniform(0.2, 2))
        return "pause"

    def _network(self) -> str:
        name, method, made = self._dice.choice(_NETWORK)
        self.lied = self.lied or name in _LIES
        proxy = self._site.proxies[self._dice.choice([*self._site.proxies])]
        proxy.clear()
        share = self._dice.choice((0.05, 0.3, 1.0))
        broken = fault.sometimes(share, made(self._dice), seed=self._dice.randrange(2**32))
        if method == "eth_sendRawTransaction":
            proxy.on(method, fault.ten_percent())
        # However bad it is, it ends: what never answers is no chain to post to. Also by time: who
        # does not answer is asked more and more seldom.
        until = time.monotonic() + _LONGEST_OUTAGE_S
        times = self._dice.choice((1, 5, 40, 200))
        proxy.on(method, broken, times=times, when=lambda _ask: time.monotonic() < until)
        return f"network: {name}"

    def _reorg(self) -> str:
        self._site.time.reorg(self._dice.randrange(1, CONFIRMATIONS))
        return "reorg"

    def _undo(self) -> str:
        """A reorg of what was just indexed: it is waited for, a while."""
        site = self._site
        for _ in range(100):
            head = site.client.head().number
            first, last = hex(head - CONFIRMATIONS + 2), hex(head)
            logs = site.client.request("eth_getLogs", {"fromBlock": first, "toBlock": last})
            assert isinstance(logs, list)
            if logs and site.indexed() >= int(logs[0]["blockNumber"], 16):
                site.time.reorg(CONFIRMATIONS - 1)
                return "undo"
            if self._stop.wait(0.03):
                break
        return "nothing"

    def _pool(self) -> str:
        chain = self._site.chain
        chain.rpc("evm_setAutomine", False)
        self._stop.wait(self._dice.uniform(0.1, 1.5))
        if self._dice.random() < 0.6:
            chain.rpc("anvil_dropAllTransactions")
        chain.rpc("evm_setAutomine", True)
        return "pool dropped"

    def _fees(self) -> str:
        self._site.chain.rpc(
            "anvil_setNextBlockBaseFeePerGas", hex(self._dice.randrange(1, 90) * GWEI)
        )
        return "fees"

    def _clock(self) -> str:
        name = self._name()
        self._site.time.set_clock(name, self._dice.choice((-86_400, -3_600, 3_600, 40 * 86_400)))
        self._stop.wait(self._dice.uniform(0.3, 1.5))
        self._site.time.set_clock(name)
        return "clock"

    def _rotate(self) -> str:
        workers = [n for n in self._site.processes.names if n.startswith("worker")]
        if not workers:
            return "nothing"
        key = self._site.key_of_relayer(self._dice.randrange(len(RELAYERS)))
        self._site.processes.restart(self._dice.choice(workers), RENTROLL_RELAYER_KEY_FILE=key)
        return "another key"

    def _database(self) -> str:
        assert self._site.server is not None
        self._site.server.stop()
        self._stop.wait(self._dice.uniform(0, 1))
        self._site.server.start()
        return "database"
