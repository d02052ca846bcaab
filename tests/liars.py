"""Nodes that lie: a client that asks a real node each question once, and alters some answers."""

import copy
from collections.abc import Callable
from typing import Any

from tests.published import Remembering

# Takes method, parameters and the true answer; gives the answer that the verifier gets.
Lie = Callable[[str, tuple[Any, ...], Any], Any]


class Liar(Remembering):
    """A node whose answers go through a lie."""

    def __init__(self, honest: Remembering, lie: Lie) -> None:
        super().__init__(honest.rpc_url)
        self._answers, self._lie = honest._answers, lie

    def _answer(self, method: str, params: Any) -> Any:
        """What the node says, and what becomes of it."""
        true = super()._answer(method, params)
        return self._lie(method, tuple(params), copy.deepcopy(true))


def of(method: str, change: Callable[[Any], Any]) -> Lie:
    """Alter all answers of one method."""
    return lambda asked, _params, answer: change(answer) if asked == method else answer


def of_logs(change: Callable[[dict[str, Any]], Any]) -> Lie:
    """Alter single logs of queries; None drops one."""

    def altered(answer: Any) -> Any:
        changed = [change(log) for log in answer]
        return [log for log in changed if log is not None]

    return of("eth_getLogs", altered)


def of_call(address: str, selector: bytes, change: Callable[[str], Any]) -> Lie:
    """Alter answers of one view function of one contract."""
    start = "0x" + selector.hex()

    def lie(method: str, params: tuple[Any, ...], answer: Any) -> Any:
        if method != "eth_call" or params[0].get("to", "").lower() != address.lower():
            return answer
        return change(answer) if str(params[0]["data"]).startswith(start) else answer

    return lie


def every(*lies: Lie) -> Lie:
    """Several lies at once."""

    def lie(method: str, params: tuple[Any, ...], answer: Any) -> Any:
        for each in lies:
            answer = each(method, params, answer)
        return answer

    return lie
