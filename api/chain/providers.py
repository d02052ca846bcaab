"""Several providers of one chain: whom to ask, how long, how often; and whom not to believe."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from api.chain.answers import to_block, to_number
from api.chain.checks import Asked, Parse
from api.chain.provider import Provider, ProviderHealth, in_loop, jittered
from api.chain.rpc import BlockMissing, RateLimited, RpcError, decode, encode
from api.errors import ChainUnavailable

T = TypeVar("T")

READ_ATTEMPTS = 4
# Before the second attempt; twice as long before each further one.
_PAUSE_S = 0.25
# A block that a node lacks comes soon, or never: it is asked for once more.
_LOOKS = 2
# So long a caller waits for its turn where only some may ask at once.
_TURN_S = 0.25
# What a send may take: longer, and its outcome is looked for on the chain.
_SEND_S = 10.0
_LEAST_ATTEMPT_S = 3.0


class WrongChain(ChainUnavailable):
    """Every provider is of another chain than the one that was asked for."""

    code = "wrong_chain"


class ChainBusy(ChainUnavailable):
    """As many requests wait for the chain already as may wait."""

    code = "chain_busy"


@dataclass(frozen=True, slots=True)
class Identity:
    """Which chain is meant. anchor: number and hash of a block that it has; None if not known."""

    chain_id: int
    anchor: tuple[int, bytes] | None = None


# What is known of the chain by now; None: any chain will do.
Expected = Callable[[], Identity | None]


class Providers:
    """The providers of a chain in the order of preference.

    deadline_s: a call takes no longer, whatever it tries.  at_once: so many calls wait for nodes at
    a time; further ones fail quickly (ChainBusy).  stop: once set, what waits gives up.
    """

    def __init__(
        self,
        urls: Sequence[str],
        *,
        expected: Expected | None,
        deadline_s: float,
        at_once: int | None,
        stop: threading.Event | None,
    ) -> None:
        self.all = [Provider(url, number) for number, url in enumerate(urls, 1)]
        self._expected = expected or (lambda: None)
        self._deadline_s = deadline_s
        self._slots = None if at_once is None else threading.BoundedSemaphore(at_once)
        self._stop = stop or threading.Event()
        self._sending: set[asyncio.Task[object]] = set()

    def health(self) -> tuple[ProviderHealth, ...]:
        """How each provider does."""
        return tuple(provider.health() for provider in self.all)

    def check_again(self) -> None:
        """Compare each with what is expected once more, before it is asked anything else."""
        for provider in self.all:
            provider.checked = False

    def ask(
        self,
        method: str,
        params: Sequence[Sequence[object]],
        parse: Parse[T],
        *,
        attempts: int = READ_ATTEMPTS,
        batch: bool = False,
        prefer: Provider | None = None,
    ) -> tuple[list[T], Provider]:
        """Answers of one provider, parsed, and who gave them.

        Each attempt asks one provider after the other until one gives an answer that can be read.

        Args:    prefer: whom to ask first.
        Raises:  ChainUnavailable when nobody answers in time, RpcError when the node refuses.
        """
        asked = [Asked(method, each) for each in params]
        body = encode(method, params, batch=batch)
        deadline = time.monotonic() + self._deadline_s
        failure: Exception | None = None
        with self._turn():
            for attempt in range(attempts):
                if attempt and not self._pause(attempt, deadline):
                    break
                for provider in self._in_order(prefer):
                    if provider.rest.left_s() or self._left(deadline) <= 0:
                        continue
                    try:
                        raw = self._post(provider, body, deadline)
                        answers = decode(method, raw, len(params), batch=batch)
                        parsed = [parse(a, q) for a, q in zip(answers, asked, strict=True)]
                    except RpcError as error:
                        provider.answered()
                        if not error.passing:
                            raise
                        failure = error
                    except BlockMissing as error:
                        failure = error
                    except ChainUnavailable as error:
                        provider.failed(error)
                        failure = error
                    else:
                        provider.answered()
                        return parsed, provider
                if isinstance(failure, BlockMissing) and attempt + 1 >= _LOOKS:
                    break
        raise self._nobody(method, failure)

    def _in_order(self, prefer: Provider | None) -> list[Provider]:
        """Whom to ask first, and then."""
        return sorted(self.all, key=lambda provider: provider is not prefer) if prefer else self.all

    def _left(self, deadline: float) -> float:
        return 0.0 if self._stop.is_set() else deadline - time.monotonic()

    def _post(self, provider: Provider, body: bytes, deadline: float) -> bytes:
        in_loop(self._check(provider, self._share(deadline)))
        return provider.post(body, self._share(deadline))

    def _share(self, deadline: float) -> float:
        """Seconds for one attempt: so that another provider has time too."""
        left = self._left(deadline)
        return left if len(self.all) == 1 else min(left, max(left / 2, _LEAST_ATTEMPT_S))

    def _pause(self, attempt: int, deadline: float) -> bool:
        """Wait before a further attempt. False if there is no time for one."""
        wait_s = jittered(_PAUSE_S * 2 ** (attempt - 1))
        # While all rest, until the first that may be asked again.
        wait_s = max(wait_s, min(provider.rest.left_s() for provider in self.all))
        return wait_s < self._left(deadline) and not self._stop.wait(wait_s)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if self._slots is None:
            yield
            return
        if not self._slots.acquire(timeout=_TURN_S):
            raise ChainBusy("the chain's node is slow, and enough requests wait for it: try again")
        try:
            yield
        finally:
            self._slots.release()

    def _nobody(self, method: str, failure: Exception | None) -> Exception:
        if isinstance(failure, (RpcError, BlockMissing)):
            return failure
        refused = [provider.refused for provider in self.all if provider.refused]
        if len(refused) == len(self.all):
            return WrongChain("; ".join(refused), method=method)
        why = failure or next((p.health().last_error for p in self.all), None)
        said = f": {why}" if why else ""
        error = ChainUnavailable(
            f"the chain's RPC endpoint does not answer {method}{said}", method=method
        )
        error.__cause__ = failure
        return error

    async def _check(self, provider: Provider, timeout_s: float) -> None:
        """That a provider which was just connected to is of the chain that is meant."""
        expected = None if provider.checked else self._expected()
        if expected is None:
            return
        found = await self._single(provider, "eth_chainId", [], timeout_s)
        chain_id = to_number("eth_chainId", found)
        if chain_id != expected.chain_id:
            self._refuse(provider, f"is chain {chain_id}, not {expected.chain_id}")
        if expected.anchor is not None:
            number, anchor = expected.anchor
            method = "eth_getBlockByNumber"
            value = await self._single(provider, method, [hex(number), False], timeout_s)
            if value is None:
                message = f"provider {provider.name} has no block {number}: it is behind, or of"
                raise ChainUnavailable(f"{message} another chain")
            block = to_block(method, value)
            if block.hash != anchor:
                was = f"block {number} is 0x{block.hash.hex()[:16]}…, not 0x{anchor.hex()[:16]}…"
                self._refuse(provider, f"has another chain: its {was}")
        provider.refused, provider.checked = None, True

    @staticmethod
    def _refuse(provider: Provider, why: str) -> None:
        message = f"provider {provider.name} {why}"
        provider.refuse(message)
        raise WrongChain(message)

    @staticmethod
    async def _single(
        provider: Provider, method: str, params: Sequence[object], timeout_s: float
    ) -> object:
        raw = await provider.exchange(encode(method, [params], batch=False), timeout_s)
        return decode(method, raw, 1, batch=False)[0]

    def send(
        self, method: str, *params: object, known: Callable[[RpcError], bool]
    ) -> object | None:
        """Hand something to every provider, once; the first that takes it is enough.

        Args:    known: refusals that say that the node has it already.
        Raises:  RpcError of the first that refused if nobody took it; ChainUnavailable if nobody
                 answered: it may have arrived all the same.
        """
        return in_loop(self._send(method, params, known))

    async def _send(
        self, method: str, params: Sequence[object], known: Callable[[RpcError], bool]
    ) -> object | None:
        tasks = [asyncio.create_task(self._hand(p, method, params)) for p in self.all]
        # Those that are slower go on; a task that nobody holds may be thrown away.
        self._sending.update(tasks)
        failures: list[Exception] = []
        for done in asyncio.as_completed(tasks):
            try:
                return await done
            except RpcError as error:
                if known(error):
                    return None
                failures.append(error)
            except ChainUnavailable as error:
                failures.append(error)
        refusals = [error for error in failures if isinstance(error, RpcError)]
        raise refusals[0] if refusals else self._nobody(method, failures[0])

    async def _hand(self, provider: Provider, method: str, params: Sequence[object]) -> object:
        try:
            await self._check(provider, _SEND_S)
            answer = await self._single(provider, method, params, _SEND_S)
        except RpcError:
            provider.answered()
            raise
        except ChainUnavailable as error:
            if not isinstance(error, (WrongChain, RateLimited)):
                provider.checked = False
            raise
        finally:
            task = asyncio.current_task()
            if task is not None:
                self._sending.discard(task)
        provider.answered()
        return answer
