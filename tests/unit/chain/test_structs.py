"""ABI structs and events as dataclasses, and node answers checked where they come in."""

from dataclasses import dataclass
from typing import Annotated

import pytest
from eth_abi.abi import encode

from api.chain.answers import to_block, to_logs, to_receipt, to_transaction
from api.chain.contracts.call import View
from api.chain.emitted import EVENTS
from api.chain.emitted.args import EventArgs, read_log, read_payload, topic_of, write_payload
from api.chain.structs import Kind, kind_of, members, solidity_name
from api.domain.lifecycle import FacilityState
from api.domain.units import Address, Micros
from api.errors import ChainUnavailable

ALL_EVENTS = [event for events in EVENTS.values() for event in events]
BLOCK = {"number": "0x7", "timestamp": "0x9"}
BLOCK |= {"hash": "0x" + "01" * 32, "parentHash": "0x" + "02" * 32}
LOG = {
    "address": "0x" + "Ab" * 20,
    "topics": ["0x" + "11" * 32],
    "data": "0x",
    "blockNumber": "0x7",
    "logIndex": "0x0",
    "transactionHash": "0x" + "22" * 32,
}
RECEIPT = {
    "status": "0x0",
    "contractAddress": None,
    "transactionHash": "0x" + "22" * 32,
    "blockNumber": "0x7",
    "blockHash": "0x" + "01" * 32,
    "gasUsed": "0x5208",
}


def _value(kind: Kind, seed: int) -> object:
    """A value of a kind, another one for another seed."""
    if kind.text.endswith("]"):
        item, _, length = kind.text.removesuffix("]").rpartition("[")
        inner = Kind(item, kind.read, kind.members)
        return [_value(inner, seed + i) for i in range(int(length or 3))]
    if kind.members:
        return tuple(_value(m.kind, seed + i) for i, m in enumerate(kind.members))
    if kind.text == "address":
        return "0x" + seed.to_bytes(20, "big").hex()
    if kind.text == "bytes32":
        return seed.to_bytes(32, "big")
    if kind.text == "string":
        return f"text {seed}"
    if kind.text.startswith("int"):
        return seed - 2 ** (int(kind.text.removeprefix("int")) - 1)
    # As big as the kind takes: past 2^53, JSON carries it as text.
    return seed % 7 if kind.text == "uint8" else 2 ** int(kind.text.removeprefix("uint")) - 1 - seed


@pytest.mark.parametrize("event", ALL_EVENTS, ids=lambda e: e.__name__)
def test_event__log_to_payload_and_back__is_the_same(event: type[EventArgs]) -> None:
    parts = members(event)
    values = [_value(m.kind, i + 1) for i, m in enumerate(parts)]
    pairs = list(zip(parts, values, strict=True))
    topics = [topic_of(event), *(encode([m.kind.text], [v]) for m, v in pairs if m.indexed)]
    plain = [(m.kind.text, v) for m, v in pairs if not m.indexed]
    data = encode([kind for kind, _ in plain], [value for _, value in plain])

    args = read_log(event, topics, data)

    assert [m.kind.read(v) for m, v in pairs] == [getattr(args, m.field) for m in parts]
    assert read_payload(event, write_payload(args)) == args


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("collected_micros", "collected"),
        ("posted_at_s", "postedAt"),
        ("rate_micros_per_gpu_hour", "ratePerGpuHour"),
        ("owed_gpu_seconds", "owedGpuSeconds"),
        ("acc_paid_x24", "accPaidX24"),
        ("from_", "from"),
    ],
)
def test_solidity_name__of_a_field__leaves_units_out(field: str, expected: str) -> None:
    assert solidity_name(field) == expected


@dataclass(frozen=True)
class _Contradicts:
    amount: Annotated[Micros, "address"]


@pytest.mark.parametrize(("hint", "stated"), [(Address, "uint256"), (bool, "uint8"), (int, None)])
def test_kind_of__type_and_text_that_differ__is_refused(hint: type, stated: str | None) -> None:
    with pytest.raises(TypeError):
        kind_of(hint, stated)
    with pytest.raises(TypeError):
        members(_Contradicts)


def test_view__enum_beyond_its_values__is_no_answer() -> None:
    state_of = View("stateOf", ("uint64",), FacilityState)

    assert state_of.decode(encode(["uint8"], [3])) is FacilityState.DELIVERING
    with pytest.raises(ValueError, match="9 is not a valid FacilityState"):
        state_of.decode(encode(["uint8"], [9]))


@dataclass(frozen=True)
class _Two:
    first_micros: Annotated[Micros, "uint256"]
    second: Address


def test_view__several_values__are_the_fields_of_one_dataclass() -> None:
    address = Address("0x" + "ab" * 20)
    two = View("two", (), _Two, several=True)

    assert two.function.outputs == ("uint256", "address")
    assert two.decode(encode(["uint256", "address"], [7, address])) == _Two(Micros(7), address)


def test_answers__as_nodes_give_them__become_values() -> None:
    (log,) = to_logs("m", [LOG | {"blockTimestamp": None}])
    receipt = to_receipt("m", RECEIPT)

    assert to_block("m", BLOCK).time_s == 9
    assert (log.address, log.block_time_s) == ("0x" + "ab" * 20, None)
    assert to_receipt("m", None) is None
    assert receipt is not None
    assert not receipt.succeeded


def test_transaction__calls_a_contract_or_creates_one__says_with_what() -> None:
    sent = {"from": "0x" + "11" * 20, "to": "0x" + "Ab" * 20, "input": "0x0102", "gas": "0x1"}
    sent["hash"] = "0x" + "33" * 32
    address = "0x" + "ab" * 20

    calling = to_transaction("m", sent | {"blockNumber": "0x7"})
    creating = to_transaction("m", sent | {"to": None})

    assert calling is not None
    assert creating is not None
    assert (calling.data_to(address), calling.data_to("0x" + "cd" * 20)) == (b"\1\2", None)
    assert (creating.data_to(address), "to" in creating.call) == (None, False)
    assert to_transaction("m", None) is None


@pytest.mark.parametrize("wrong", ["missing", "number", "not hex"])
@pytest.mark.parametrize("field", sorted(BLOCK))
def test_block__field_missing_or_in_another_form__is_named(field: str, wrong: str) -> None:
    answer: dict[str, object] = dict(BLOCK)
    if wrong == "missing":
        del answer[field]
    else:
        answer[field] = 7 if wrong == "number" else "0xzz"

    with pytest.raises(ChainUnavailable, match=f"m: the answer has no valid {field}") as caught:
        to_block("m", answer)

    assert caught.value.context["field"] == field


@pytest.mark.parametrize("field", sorted(LOG))
def test_log__field_missing__is_named(field: str) -> None:
    answer = {name: value for name, value in LOG.items() if name != field}

    with pytest.raises(ChainUnavailable, match=f"no valid {field}"):
        to_logs("m", [answer])


@pytest.mark.parametrize("answer", [None, [], "0x1", 7])
def test_block__no_object__is_refused(answer: object) -> None:
    with pytest.raises(ChainUnavailable, match="no object"):
        to_block("m", answer)
