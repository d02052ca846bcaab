"""What is read by the short way, log by log and event by event, is what the long way says."""

import json
from collections.abc import Sequence

import pytest
from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError
from hypothesis import given, settings
from hypothesis import strategies as st

from api.chain.answers import Log, to_logged, to_logs
from api.chain.emitted import EVENTS
from api.chain.emitted.args import EventArgs, named, read_log, write_payload
from api.chain.structs import Kind, members, read_struct
from api.errors import ChainUnavailable

ALL_EVENTS = [event for events in EVENTS.values() for event in events]
RECEIPT = {
    "status": "0x1",
    "transactionHash": "0x" + "22" * 32,
    "blockNumber": "0x7",
    "blockHash": "0x" + "01" * 32,
}
WORD = "0x" + "5a" * 32
# What a node may write in the place of a word, a number or an address: true, nearly true, anything.
TEXTS = (
    *(WORD, WORD.upper(), WORD[2:], WORD + "0", WORD[:-2], WORD[:-2] + "zz", "0X" + WORD[2:]),
    *("0x  " + WORD[4:], "0x" + "5a " * 21 + "5", "0x" + "Ab" * 20, "0x" + "a" * 65),
    *("0x7", "0x", "0x0007", "7", "-0x7", "0x_7", " 0x7", "0x7\n", "0x\uff17", "", "\u0660"),
)
LISTS = tuple([text, *rest] for text in TEXTS for rest in ([], [WORD]))
VALUES = (
    *TEXTS,
    *LISTS,
    *({WORD: WORD}, None, 0, 7, 1.5, True, False, [], [None], [7], [WORD] * 5),
)
FIELDS = ("address", "topics", "data", "blockNumber", "blockTimestamp", "logIndex")
NAMES = (*FIELDS, "transactionHash", "blockHash", "removed")
PLAIN = {
    "address": "0x" + "Ab" * 20,
    "topics": [WORD, WORD],
    "data": "0x0102",
    "blockNumber": "0x7",
    "blockTimestamp": "0x9",
    "logIndex": "0x0",
    "transactionHash": WORD,
    "blockHash": WORD,
    "removed": False,
}


def _one_by_one(log: object) -> Log | str:
    """How a receipt's log is read: field by field."""
    try:
        found = to_logged("eth_getLogs", RECEIPT | {"logs": [log]})
    except ChainUnavailable as error:
        return error.message
    assert found is not None
    return found.logs[0]


@pytest.mark.parametrize("name", NAMES)
def test_logs__any_field_changed_or_gone__are_read_and_refused_as_one_by_one(name: str) -> None:
    without = {each: value for each, value in PLAIN.items() if each != name}
    for log in (without, *(without | {name: value} for value in VALUES)):
        # Twice: the second one is read from what the first one left.
        together, alone = _together([log, log]), _one_by_one(log)

        assert together == (alone if isinstance(alone, str) else [alone, alone]), log


def _together(logs: Sequence[object]) -> list[Log] | str:
    try:
        return to_logs("eth_getLogs", logs)
    except ChainUnavailable as error:
        return error.message


@pytest.mark.parametrize("log", [None, [], "0x1", 7])
def test_logs__no_object__is_refused(log: object) -> None:
    with pytest.raises(ChainUnavailable, match="no object"):
        to_logs("eth_getLogs", [PLAIN, log])


# --- events ------------------------------------------------------------------------------------


def _values(kind: Kind) -> st.SearchStrategy[object]:
    """Values of a kind as they are decoded."""
    if kind.text.endswith("]"):
        item, _, length = kind.text.removesuffix("]").rpartition("[")
        inner = _values(Kind(item, kind.read, kind.members))
        return st.lists(inner, min_size=int(length or 0), max_size=int(length or 3))
    if kind.members:
        return st.tuples(*(_values(member.kind) for member in kind.members))
    if kind.text == "uint8" and isinstance(kind.read, type):
        return st.sampled_from([int(each) for each in kind.read])  # type: ignore[call-overload]
    if kind.text.lstrip("u").startswith("int"):
        most = 2 ** int(kind.text.lstrip("u").removeprefix("int"))
        signed = kind.text.startswith("int")
        return st.integers(-most // 2, most // 2 - 1) if signed else st.integers(0, most - 1)
    known: dict[str, st.SearchStrategy[object]] = {
        "address": st.binary(min_size=20, max_size=20).map(lambda raw: "0x" + raw.hex()),
        "bytes32": st.binary(min_size=32, max_size=32),
        "bool": st.booleans(),
        "string": st.text(),
    }
    return known[kind.text]


@pytest.mark.parametrize("event", ALL_EVENTS, ids=lambda e: e.__name__)
def test_payload__of_any_arguments__is_what_json_writes(event: type[EventArgs]) -> None:
    @settings(max_examples=25)
    @given(st.tuples(*(_values(member.kind) for member in members(event))))
    def holds(values: tuple[object, ...]) -> None:
        args = read_struct(event, values)

        assert write_payload(args) == json.dumps(_shown(named(args)), sort_keys=True)

    holds()


def _shown(arguments: dict[str, object]) -> dict[str, object]:
    """Big integers as text, bytes in hex; inside of lists and structs integers as they are."""

    def inside(value: object) -> object:
        if isinstance(value, bytes):
            return "0x" + value.hex()
        return [inside(item) for item in value] if isinstance(value, (list, tuple)) else value

    return {
        name: str(value) if isinstance(value, int) and abs(value) > 2**53 else inside(value)
        for name, value in arguments.items()
    }


WORDS = st.lists(
    st.binary(min_size=32, max_size=32) | st.integers(0, 9).map(lambda n: n.to_bytes(32)),
    max_size=10,
)


@pytest.mark.parametrize("event", ALL_EVENTS, ids=lambda e: e.__name__)
def test_log__of_any_words__is_read_as_by_eth_abi_or_refused(event: type[EventArgs]) -> None:
    parts = members(event)
    if any(part.kind.members or part.kind.text.endswith(("]", "string")) for part in parts):
        # These are read by eth_abi itself.
        return

    @settings(max_examples=25)
    @given(WORDS, WORDS, st.binary(max_size=3))
    def holds(indexed: list[bytes], plain: list[bytes], tail: bytes) -> None:
        data = b"".join(plain) + tail
        try:
            of_topics = decode([p.kind.text for p in parts if p.indexed], b"".join(indexed))
            of_data = decode([p.kind.text for p in parts if not p.indexed], data)
            first, second = iter(of_topics), iter(of_data)
            expected = read_struct(event, [next(first if p.indexed else second) for p in parts])
        except (DecodingError, ValueError):
            with pytest.raises(ValueError, match=r".+"):
                read_log(event, [bytes(32), *indexed], data)
        else:
            assert read_log(event, [bytes(32), *indexed], data) == expected

    holds()
