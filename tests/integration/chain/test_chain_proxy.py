"""The proxy for faults: each goes where it was asked for, as often as asked, and nowhere else."""

from collections.abc import Iterator

import httpx
import pytest

from tests import chain_faults
from tests.chain_proxy import ANY, ChainProxy


@pytest.fixture
def proxy() -> Iterator[ChainProxy]:
    """A proxy before a proxy that answers every call with its method's name."""
    with ChainProxy("unused") as node, ChainProxy(node.url) as found:
        node.on(ANY, lambda ask, _forward: {"result": [ask.method]})
        yield found


def _post(proxy: ChainProxy, body: object) -> httpx.Response:
    return httpx.post(proxy.url, json=body, timeout=10)


def _call(method: str, number: int = 1) -> dict[str, object]:
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": [{}]}


def test_proxy__no_rule__gives_the_nodes_answers(proxy: ChainProxy) -> None:
    batch = _post(proxy, [_call("a", 7), _call("b", 8)]).json()

    assert [(each["id"], each["result"]) for each in batch] == [(7, ["a"]), (8, ["b"])]
    assert proxy.asked == [("a", [{}]), ("b", [{}])]


def test_proxy__fault_of_a_method__is_played_as_often_as_asked(proxy: ChainProxy) -> None:
    proxy.on("a", chain_faults.null, times=1)
    proxy.on(ANY, chain_faults.duplicate_logs, times=2)

    said = [_post(proxy, _call(method)).json()["result"] for method in ("b", "a", "a")]

    assert said == [["b", "b"], None, ["a"]]


def test_proxy__fault_of_the_request__takes_the_whole_answer(proxy: ChainProxy) -> None:
    proxy.on("a", chain_faults.too_many("3"), times=1)
    limited = _post(proxy, [_call("b"), _call("a")])
    with proxy.during("a", chain_faults.cut), pytest.raises(httpx.RemoteProtocolError):
        _post(proxy, _call("a"))
    with proxy.during("a", chain_faults.truncated):
        half = _post(proxy, _call("a"))

    assert (limited.status_code, limited.headers["Retry-After"]) == (429, "3")
    with pytest.raises(ValueError, match="Unterminated"):
        half.json()
    assert _post(proxy, _call("a")).json()["result"] == ["a"]


def test_proxy__stalled__answers_no_more_until_cleared(proxy: ChainProxy) -> None:
    proxy.on(ANY, chain_faults.stall)
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(proxy.url, json=_call("a"), timeout=0.2)
    proxy.clear()

    assert _post(proxy, _call("a")).json()["result"] == ["a"]
