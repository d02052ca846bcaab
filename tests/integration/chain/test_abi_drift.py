"""Our signatures are what the compiler says: nothing missing, nothing different."""

import json
from pathlib import Path
from typing import Any

import pytest

from api.chain.abi import Function
from api.chain.contracts import CLASSES
from api.chain.contracts.call import View
from api.chain.contracts.rent_lockbox import RentBook
from api.chain.emitted import EVENTS
from api.chain.emitted.args import EventArgs, topic_of
from api.chain.emitted.unread import UNREAD
from api.chain.signatures import ERRORS, FUNCTIONS, CustomError, decode_error
from api.chain.structs import Member, members

BUILD = Path(__file__).resolve().parents[3] / "build" / "contracts"
ARTIFACTS = {"SettlementToken": "MockStablecoin"}
FUNCTION_CASES = [(c, f) for c, functions in FUNCTIONS.items() for f in functions]
EVENT_CASES = [(c, e) for c, events in EVENTS.items() for e in events]
VIEW_CASES = [
    (contract.name, view)
    for contract in CLASSES
    for view in vars(contract).values()
    if isinstance(view, View)
]
ERROR_CASES = [(c, e) for c, errors in ERRORS.items() for e in errors]


def _abi(contract: str, kind: str) -> dict[str, dict[str, Any]]:
    file = BUILD / f"{ARTIFACTS.get(contract, contract)}.json"
    abi = json.loads(file.read_text())["abi"]
    return {entry["name"]: entry for entry in abi if entry["type"] == kind}


def _type(argument: dict[str, Any]) -> str:
    """Canonical type, structs as tuples."""
    kind: str = argument["type"]
    if not kind.startswith("tuple"):
        return kind
    inner = ",".join(_type(part) for part in argument["components"])
    return f"({inner}){kind.removeprefix('tuple')}"


# A name with its type, and the names inside of it if it is a struct.
Named = tuple[str, str, tuple[Any, ...]]


def _compiled(arguments: list[dict[str, Any]]) -> tuple[Named, ...]:
    return tuple((a["name"], _type(a), _compiled(a.get("components", []))) for a in arguments)


def _ours(parts: tuple[Member, ...]) -> tuple[Named, ...]:
    return tuple((m.name, m.kind.text, _ours(m.kind.members)) for m in parts)


@pytest.mark.parametrize(("contract", "view"), VIEW_CASES, ids=lambda x: getattr(x, "name", x))
def test_abi__view__answers_with_the_types_and_names_of_the_compiler(
    contract: str, view: View[object]
) -> None:
    compiled = _abi(contract, "function")[view.name]

    assert compiled["stateMutability"] in ("view", "pure")
    assert tuple(map(_type, compiled["inputs"])) == view.inputs
    outputs = compiled["outputs"]
    assert tuple(map(_type, outputs)) == view.function.outputs
    named = outputs if view.several else outputs[0].get("components", [])
    assert _compiled(named) == _ours(view.answer.members)


def test_abi__names_swapped_on_either_side__are_noticed() -> None:
    """`collected` and `settled` are both uint96: their types alone would not tell."""
    (book,) = _abi("RentLockbox", "function")["bookOf"]["outputs"]
    collected, settled, epochs = book["components"]
    first, second, third = members(RentBook)

    theirs = [collected | {"name": "settled"}, settled | {"name": "collected"}, epochs]
    ours = (second, first, third)

    assert _compiled(book["components"]) == _ours(members(RentBook))
    assert _compiled(theirs) != _ours(members(RentBook))
    assert _compiled(book["components"]) != _ours(ours)


@pytest.mark.parametrize(("contract", "function"), FUNCTION_CASES, ids=lambda x: str(x)[:40])
def test_abi__function__is_what_the_compiler_says(contract: str, function: Function) -> None:
    compiled = _abi(contract, "function")[function.name]

    assert tuple(map(_type, compiled["inputs"])) == function.inputs
    # Transactions give no result to the service: for them, outputs may be left out.
    if function.outputs or compiled["stateMutability"] in ("view", "pure"):
        assert tuple(map(_type, compiled["outputs"])) == function.outputs


@pytest.mark.parametrize(
    ("contract", "event"), EVENT_CASES, ids=lambda x: getattr(x, "__name__", x)
)
def test_abi__event__has_the_names_types_and_indexes_of_the_compiler(
    contract: str, event: type[EventArgs]
) -> None:
    compiled = _abi(contract, "event")[event.__name__]

    assert _compiled(compiled["inputs"]) == _ours(members(event))
    assert [a["indexed"] for a in compiled["inputs"]] == [m.indexed for m in members(event)]
    assert compiled["anonymous"] is False


@pytest.mark.parametrize(("contract", "error"), ERROR_CASES, ids=lambda x: str(x)[:40])
def test_abi__error__has_the_names_and_types_of_the_compiler(
    contract: str, error: CustomError
) -> None:
    compiled = _abi(contract, "error")[error.name]

    assert tuple((_type(a), a["name"]) for a in compiled["inputs"]) == error.arguments


@pytest.mark.parametrize("contract", EVENTS)
def test_abi__events_of_a_contract__are_all_indexed_or_named_as_unread(contract: str) -> None:
    known = {event.signature() for event in EVENTS[contract]}
    unread = set(UNREAD[contract]) if contract in UNREAD else set()
    compiled = _abi(contract, "event").items()

    assert known | unread == {
        f"{name}({','.join(map(_type, entry['inputs']))})" for name, entry in compiled
    }
    assert not known & unread


@pytest.mark.parametrize("contract", ERRORS)
def test_abi__errors_of_our_interface__are_all_decoded(contract: str) -> None:
    """What the service's transactions revert with has a name in the outbox."""
    elsewhere = {
        "AttesterRegistry": {
            "AlreadyAttester",
            "AttesterLeaves",
            "AttesterLiable",
            "AttesterSeated",
            "AttesterSlotsFull",
            "BondTermsInvalid",
            "NotLiable",
            "NotStatementRegistry",
            "PanelNotInForce",
            "PanelUnknown",
            "PanelsFull",
            "SeatsNotOdd",
        },
        "PledgeRegistry": {
            "NotGpuOperator",
            "PledgeRootZero",
            "ReplacementNotAccepted",
            "ReplacementTooEarly",
        },
        "StatementRegistry": {
            "BatchEmpty",
            "EpochRejected",
            "EvidenceHashZero",
            "NotAttesterDesk",
            "NotGpuOperator",
            "NotThisContract",
            "NothingToReject",
            "PanelDiffers",
            "PublicationOutOfOrder",
            "StatementHashWrong",
            "StatementUnknown",
        },
        "RentLockbox": {
            "AmountAboveLimit",
            "AmountZero",
            "FacilityNotClosed",
            "NotAttesterDesk",
            "NotRefundDesk",
            "NotThisContract",
            "NotWalletDesk",
            "NothingForVoucher",
            "NothingOwed",
            "RefundAboveExcess",
            "RefundAbovePaid",
            "RentNotAccepted",
            "RecipientInvalid",
        },
        "DeliveryDesk": {
            "DeliveryClosed",
            "DeliveryEmpty",
            "DeliveryWithoutRate",
            "LeaseTaken",
            "LeaseZero",
            "NotWalletDesk",
            "OrderExpired",
            "OrderOfAnother",
            "OrderSignatureInvalid",
            "OrderUsed",
            "VoucherOfAnother",
        },
    }
    ours = set(_abi(f"I{contract}", "error"))

    assert ours - elsewhere[contract] <= {error.name for error in ERRORS[contract]}


def test_abi__topics_and_selectors__are_distinct() -> None:
    """One log decodes in one way only."""
    events = {topic_of(event): (c, event) for c, event in EVENT_CASES}
    errors = {error.function.selector for _, error in ERROR_CASES}

    assert len(events) == len(EVENT_CASES)
    assert len(errors) == len(ERROR_CASES)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("0x", None),
        ("0xdeadbeef", None),
        ("not hex", None),
        ("0x" + Function("NotAttester", ("address",)).selector.hex(), None),
        (
            "0x" + Function("EpochNotOver", ("uint64", "uint256")).encode(7, 2).hex(),
            "EpochNotOver(7, 2)",
        ),
    ],
)
def test_decode_error__of_revert_data__names_it_or_gives_none(
    data: str, expected: str | None
) -> None:
    assert decode_error(data) == expected
