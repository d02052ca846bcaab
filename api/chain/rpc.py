"""JSON-RPC on the wire: what is asked, and what an answer means. Nothing is believed unread."""

import re
from collections.abc import Sequence
from typing import NoReturn

import orjson

from api.errors import ChainRejected, ChainUnavailable

# EIP-1474: "Limit exceeded". Infura and others say so of ranges of logs too, in words of these.
_LIMIT_EXCEEDED = -32005
_RANGE = re.compile(r"block range|results|response size|logs matched|too many logs", re.I)
_RATE = re.compile(r"rate.?limit|too many requests|request rate|compute units|throttl", re.I)
# A node that has not got the block yet, or has it no more. Each client has words of its own.
_UNKNOWN_BLOCK = re.compile(
    r"unknown block|header not found|block not found|resource not found|outofrange"
    r"|not (currently )?canonical|header for hash not found",
    re.I,
)
_OUT_OF_RANGE = re.compile(r"height is (\d+) but requested was (\d+)")
_HTTP_TOO_MANY = 429
_PARAMS_WRONG = -32602
_METHOD_UNKNOWN = -32601
_INTERNAL = -32603


class RpcError(ChainRejected):
    """The node answered with an error. `context["data"]` holds revert data, if any."""

    @property
    def number(self) -> int | None:
        """The error's code."""
        code = self.context.get("code")
        return code if isinstance(code, int) else None

    @property
    def params_wrong(self) -> bool:
        """Whether the node does not take parameters of this form."""
        return self.number in {_PARAMS_WRONG, _METHOD_UNKNOWN}

    @property
    def passing(self) -> bool:
        """Whether another node, or this one later, may well answer."""
        return self.number == _INTERNAL and self.context.get("data") is None


class NoAnswer(ChainUnavailable):
    """A provider did not answer, or not so that it can be believed."""


class Malformed(NoAnswer):
    """What came is no answer to what was asked."""


class BlockMissing(ChainUnavailable):
    """The node does not have the block: it lags, or the block is gone from the chain."""


class RateLimited(ChainUnavailable):
    """A provider asks to be left alone for `wait_s` seconds."""

    def __init__(self, message: str, wait_s: float, **context: object) -> None:
        super().__init__(message, **context)
        self.wait_s = wait_s


def encode(method: str, params: Sequence[Sequence[object]], *, batch: bool) -> bytes:
    """A request, or several as a batch; their ids count from 1."""
    calls = [
        {"jsonrpc": "2.0", "id": number, "method": method, "params": list(each)}
        for number, each in enumerate(params, 1)
    ]
    return orjson.dumps(calls if batch else calls[0])


def decode(method: str, raw: bytes, count: int, *, batch: bool) -> list[object]:
    """Results in the order in which they were asked for.

    Raises:  Malformed, RateLimited, BlockMissing, RpcError.
    """
    try:
        # orjson's nesting is bounded (1,024 levels), and it reads logs ten times as fast as json.
        value = orjson.loads(raw)
    except ValueError as error:
        raise Malformed(f"{method}: the answer is no JSON", method=method) from error
    if not batch:
        return [_result(method, value, 1)]
    if not isinstance(value, list):
        # A node that refuses a batch answers by one object.
        _result("batch", value, None)
        raise Malformed("a batch is answered by no list", method=method)
    # In any order (JSON-RPC 2.0, section 6).
    by_id = {each.get("id"): each for each in value if isinstance(each, dict)}
    if len(value) != count or set(by_id) != set(range(1, count + 1)):
        # A node may refuse one of a batch by an error without an id.
        for each in value:
            if isinstance(each, dict) and each.get("error"):
                _refuse(method, each["error"])
        raise Malformed("a part of a batch is answered only", method=method)
    return [_result(method, by_id[number], number) for number in range(1, count + 1)]


def _result(method: str, value: object, number: int | None) -> object:
    if not isinstance(value, dict):
        raise Malformed(f"{method}: the answer is no object", method=method)
    # Some nodes send `"error": null` beside a result.
    if value.get("error"):
        _refuse(method, value["error"])
    if "result" not in value:
        raise Malformed(f"{method}: the answer has no result", method=method)
    if value.get("id") != number or isinstance(value.get("id"), bool):
        raise Malformed(f"{method}: the answer is to another question", method=method)
    return value["result"]


def _refuse(method: str, problem: object) -> NoReturn:
    told = problem if isinstance(problem, dict) else {"message": str(problem)}
    code, data = told.get("code"), told.get("data")
    # A node may say anything, at any length.
    text = str(told.get("message", ""))[:500]
    message = f"{method}: {text}"
    limited = code in {_LIMIT_EXCEEDED, _HTTP_TOO_MANY} or _RATE.search(text)
    if limited and not _RANGE.search(text):
        raise RateLimited(message, 0, method=method)
    if _UNKNOWN_BLOCK.search(text) and not _pruned(text) and data is None:
        raise BlockMissing(message, method=method)
    raise RpcError(message, method=method, data=data, code=code)


def _pruned(text: str) -> bool:
    """Whether a node says that it lacks what is older than what it has, as anvil does."""
    heights = _OUT_OF_RANGE.search(text)
    return heights is not None and int(heights[2]) <= int(heights[1])
