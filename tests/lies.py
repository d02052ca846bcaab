"""Lies of a node, and the codes that name each."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from api.chain.contracts.attester_registry import AttesterRegistry
from api.chain.contracts.call import View
from api.chain.contracts.facility_registry import FacilityRegistry
from api.chain.contracts.rent_lockbox import RentLockbox
from api.chain.contracts.settlement_token import SettlementToken
from api.chain.contracts.statement_registry import StatementRegistry
from api.chain.contracts.tranche_token import TrancheToken
from api.chain.emitted.args import EventArgs, topic_of
from api.chain.emitted.attester_registry import AttesterPeriodSet, PanelSet
from api.chain.emitted.facility_registry import FacilityOffered
from api.chain.emitted.rent_lockbox import RentPaid, Settled
from api.chain.emitted.statement_registry import StatementPosted
from api.chain.emitted.tranche_token import (
    RevenueAccrued,
    RevenueClaimedBatch,
    TransferSingle,
)
from api.verify.payments import Transfer
from tests.liars import Lie, of, of_call, of_logs
from tests.published import Published


def topic(event: type[EventArgs]) -> str:
    return "0x" + topic_of(event).hex()


def drop(event: type[EventArgs]) -> Lie:
    return of_logs(lambda log: None if log["topics"][:1] == [topic(event)] else log)


def _alter(event: type[EventArgs], **changes: Callable[[Any], Any]) -> Lie:
    def change(log: dict[str, Any]) -> dict[str, Any]:
        if log["topics"][:1] == [topic(event)]:
            log |= {name: alter(log[name]) for name, alter in changes.items()}
        return log

    return of_logs(change)


def _topics(place: int, value: str) -> Callable[[list[str]], list[str]]:
    return lambda topics: [*topics[:place], value, *topics[place + 1 :]]


def _word(place: int, value: int) -> Callable[[str], str]:
    def change(data: str) -> str:
        start = 2 + 64 * place
        return data[:start] + f"{value:064x}" + data[start + 64 :]

    return change


def _call(published: Published, contract: str, view: View[Any], change: Any) -> Lie:
    address = published.deployment.addresses[contract]
    return of_call(address, view.function.selector, change)


OTHER = "0x" + "00" * 31 + "07"
ADDRESS = "0x" + "00" * 12 + "77" * 20


@dataclass(frozen=True)
class Case:
    """A lie, and the codes of which one at least names it."""

    name: str
    lie: Callable[[Published], Lie]
    codes: set[str]


def _fixed(lie: Lie) -> Callable[[Published], Lie]:
    return lambda _published: lie


def _falling(number: str) -> str:
    return hex(2**31 - int(number, 16))


STATEMENTS, ATTESTERS = StatementRegistry, AttesterRegistry
CASES = [
    Case(
        "blocks of falling times",
        _fixed(of("eth_getBlockByNumber", lambda b: b | {"timestamp": _falling(b["number"])})),
        {"block_wrong"},
    ),
    Case("seats of a panel hidden", _fixed(drop(PanelSet)), {"log_unreceipted"}),
    Case(
        "quorum lowered in its log",
        _fixed(_alter(PanelSet, data=_word(1, 0))),
        {"log_unreceipted"},
    ),
    Case(
        "quorum lowered in storage",
        lambda p: _call(p, "AttesterRegistry", ATTESTERS._panel_of, _word(1, 1)),
        {"attesters"},
    ),
    Case("members hidden", _fixed(drop(AttesterPeriodSet)), {"log_unreceipted"}),
    Case("rent hidden", _fixed(drop(RentPaid)), {"money"}),
    Case(
        "rent of another lease",
        _fixed(_alter(RentPaid, topics=_topics(2, OTHER))),
        {"log_unreceipted"},
    ),
    Case(
        "rent of another payer",
        _fixed(_alter(RentPaid, topics=_topics(3, ADDRESS))),
        {"log_unreceipted"},
    ),
    Case("rent of another amount", _fixed(_alter(RentPaid, data=_word(0, 1))), {"money"}),
    Case("a settlement hidden", _fixed(drop(Settled)), {"log_unreceipted"}),
    Case("an accrual hidden", _fixed(drop(RevenueAccrued)), {"log_unreceipted"}),
    Case("a claim hidden", _fixed(drop(RevenueClaimedBatch)), {"money"}),
    Case("transfers hidden", _fixed(drop(TransferSingle)), {"money"}),
    Case("the offer hidden", _fixed(drop(FacilityOffered)), {"cannot_be_judged"}),
    Case(
        "statements hidden",
        _fixed(drop(StatementPosted)),
        {"endings", "statement_stored", "stray"},
    ),
    Case(
        "logs of another block",
        _fixed(of_logs(lambda log: log | {"blockHash": "0x" + "22" * 32})),
        {"log_of_other_block"},
    ),
    Case(
        "another time in logs",
        _fixed(of_logs(lambda log: log | {"blockTimestamp": "0x1"})),
        {"log_time"},
    ),
    Case("no topics", _fixed(_alter(RentPaid, topics=lambda _: [])), {"log_unknown"}),
    Case("unknown topics", _fixed(_alter(RentPaid, topics=_topics(0, OTHER))), {"log_unknown"}),
    Case("data cut", _fixed(_alter(RentPaid, data=lambda data: data[:66])), {"log_undecodable"}),
    Case(
        "indexed arguments cut",
        _fixed(_alter(RentPaid, topics=lambda topics: topics[:2])),
        {"log_undecodable"},
    ),
    Case(
        "receipts hidden",
        _fixed(of("eth_getTransactionReceipt", lambda _: None)),
        {"log_unreceipted"},
    ),
    Case(
        "a receipt of a reverted transaction",
        _fixed(of("eth_getTransactionReceipt", lambda r: r | {"status": "0x0"})),
        {"log_unreceipted"},
    ),
    Case(
        "a challenge window of nothing",
        lambda p: _call(
            p, "StatementRegistry", STATEMENTS._challenge_window, lambda _: "0x" + "0" * 64
        ),
        {"constant_wrong"},
    ),
    Case(
        "a least bond of nothing",
        lambda p: _call(p, "AttesterRegistry", ATTESTERS._minimum_bond, lambda _: "0x" + "0" * 64),
        {"constant_wrong"},
    ),
    Case(
        "contracts without money",
        lambda p: _call(
            p, "SettlementToken", SettlementToken._balance_of, lambda _: "0x" + "0" * 64
        ),
        {"balance"},
    ),
    Case(
        "another book of rent",
        lambda p: _call(p, "RentLockbox", RentLockbox._book_of, _word(1, 0)),
        {"money"},
    ),
    Case(
        "another position",
        lambda p: _call(p, "TrancheToken", TrancheToken._position_of, _word(0, 999)),
        {"money"},
    ),
    Case("transfers of money hidden", _fixed(drop(Transfer)), {"transfer_unreceipted"}),
    Case(
        "money that went to others",
        _fixed(_alter(Transfer, topics=_topics(2, ADDRESS))),
        {"transfer_unreceipted"},
    ),
    Case(
        "other fees owed",
        lambda p: _call(p, "RentLockbox", RentLockbox._fees_owed, _word(0, 1)),
        {"fees_owed"},
    ),
    Case(
        "rent of a payer forgotten",
        lambda p: _call(p, "RentLockbox", RentLockbox._paid_by, _word(0, 0)),
        {"rent_by_payer"},
    ),
    Case(
        "a view that answers nothing",
        lambda p: _call(p, "TrancheToken", TrancheToken._position_of, lambda _: "0x"),
        {"cannot_be_judged"},
    ),
    Case(
        "another panel of the facility",
        lambda p: _call(p, "FacilityRegistry", FacilityRegistry._epoch_terms_of, _word(6, 9)),
        {"attesters"},
    ),
    Case(
        "another state",
        lambda p: _call(p, "FacilityRegistry", FacilityRegistry._state_of, _word(0, 6)),
        {"endings"},
    ),
    Case(
        "fewer final statements",
        lambda p: _call(p, "StatementRegistry", STATEMENTS._epochs_final, _word(0, 0)),
        {"final_count"},
    ),
    Case(
        "another statement stored",
        lambda p: _call(p, "StatementRegistry", STATEMENTS._statement_of, _word(0, 1)),
        {"statement_stored"},
    ),
]


REFUSED: list[tuple[str, Lie, str]] = [
    ("null instead of logs", of("eth_getLogs", lambda _: None), "no list"),
    (
        "logs of another contract",
        of_logs(lambda log: log | {"address": "0x" + "11" * 20}),
        "of another contract",
    ),
    ("logs told twice", of("eth_getLogs", lambda logs: logs + logs), "comes twice"),
    (
        "logs of a block that nobody asked for",
        of_logs(lambda log: log | {"blockNumber": "0x7fffffff"}),
        "of no block of the range",
    ),
    (
        "another block than was asked for",
        lambda method, params, found: (
            found | {"number": "0x1"}
            if method == "eth_getBlockByNumber" and params[0] not in ("latest", "0x1")
            else found
        ),
        "about another number",
    ),
    ("text instead of logs", of("eth_getLogs", lambda _: "logs"), "no list"),
    ("null as a log", of("eth_getLogs", lambda logs: [*logs, None]), "no object"),
    ("topics of another length", of_logs(lambda x: x | {"topics": ["0x11"]}), "topics"),
    ("topics that are no list", of_logs(lambda x: x | {"topics": None}), "topics"),
    ("a removed log", of_logs(lambda x: x | {"removed": True}), "removed"),
    ("a log without a block", of_logs(lambda x: x | {"blockNumber": None}), "blockNumber"),
    ("a log with half a byte", of_logs(lambda x: x | {"data": "0x123"}), "data"),
    ("data with spaces", of_logs(lambda x: x | {"data": "0x 12 34"}), "data"),
    ("a negative log index", of_logs(lambda x: x | {"logIndex": "-0x1"}), "logIndex"),
    ("a head without number", of("eth_getBlockByNumber", lambda b: b | {"number": None}), "number"),
    ("a head without time", of("eth_getBlockByNumber", lambda b: b | {"timestamp": "1"}), "time"),
    ("no head", of("eth_getBlockByNumber", lambda _: None), "no block"),
    ("a receipt that is a list", of("eth_getTransactionReceipt", lambda _: []), "no object"),
    ("a view that answers null", of("eth_call", lambda _: None), "eth_call"),
    ("a view that answers text", of("eth_call", lambda _: "yes"), "eth_call"),
    ("another chain", of("eth_chainId", lambda _: "0x1"), "chain 1"),
    ("no chain", of("eth_chainId", lambda _: {}), "eth_chainId"),
    ("no code", of("eth_getCode", lambda _: "0x"), "no contract"),
    ("other code", of("eth_getCode", lambda code: code + "00"), "other bytecode"),
]
