"""A node that lies: each lie is found and named, or refused in words; none is believed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

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
from api.db.migrate import upgrade
from api.db.session import open_engine
from api.errors import AppError, ChainUnavailable
from api.verify.payments import Transfer
from api.verify.verify import VerifyReport, verify
from tests.liars import Liar, Lie, every, of, of_call, of_logs
from tests.published import Memory, Published
from tests.story import two_epochs
from tests.world import Deployed, World

pytestmark = pytest.mark.chain


@pytest.fixture(scope="module")
def published(deployed: Deployed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Published]:
    """Two epochs with every kind of line, settled and claimed from."""
    folder = tmp_path_factory.mktemp("lies")
    engine = open_engine(f"sqlite:///{folder}/rentroll.db")
    upgrade(engine)
    world = World(engine, folder, deployed)
    two_epochs(world)
    found = Published(world)
    yield found
    found.client.close()
    world.close()
    engine.dispose()


def _verify(published: Published, lie: Lie, **options: Any) -> VerifyReport:
    client = Liar(published.client, lie)
    try:
        return verify(client, Memory(published.files), **options)
    finally:
        client.close()


def _topic(event: type[EventArgs]) -> str:
    return "0x" + topic_of(event).hex()


def _drop(event: type[EventArgs]) -> Lie:
    return of_logs(lambda log: None if log["topics"][:1] == [_topic(event)] else log)


def _alter(event: type[EventArgs], **changes: Callable[[Any], Any]) -> Lie:
    def change(log: dict[str, Any]) -> dict[str, Any]:
        if log["topics"][:1] == [_topic(event)]:
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


STATEMENTS, ATTESTERS = StatementRegistry, AttesterRegistry
CASES = [
    Case("seats of a panel hidden", _fixed(_drop(PanelSet)), {"log_unreceipted"}),
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
    Case("members hidden", _fixed(_drop(AttesterPeriodSet)), {"log_unreceipted"}),
    Case("rent hidden", _fixed(_drop(RentPaid)), {"money"}),
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
    Case("a settlement hidden", _fixed(_drop(Settled)), {"log_unreceipted"}),
    Case("an accrual hidden", _fixed(_drop(RevenueAccrued)), {"log_unreceipted"}),
    Case("a claim hidden", _fixed(_drop(RevenueClaimedBatch)), {"money"}),
    Case("transfers hidden", _fixed(_drop(TransferSingle)), {"money"}),
    Case("the offer hidden", _fixed(_drop(FacilityOffered)), {"cannot_be_judged"}),
    Case(
        "statements hidden",
        _fixed(_drop(StatementPosted)),
        {"endings", "statement_stored", "stray"},
    ),
    Case(
        "a log told twice",
        _fixed(of("eth_getLogs", lambda logs: [*logs, *logs[:1]])),
        {"log_repeated"},
    ),
    Case(
        "logs of another contract",
        _fixed(of_logs(lambda log: log | {"address": "0x" + "11" * 20})),
        {"log_foreign"},
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
    Case("transfers of money hidden", _fixed(_drop(Transfer)), {"transfer_unreceipted"}),
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


def test_verify__node_that_tells_the_truth__finds_nothing(published: Published) -> None:
    report = _verify(published, lambda _method, _params, answer: answer)

    assert report.findings == ()
    assert report.statements == 2


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_verify__node_that_lies__is_found(published: Published, case: Case) -> None:
    """ATTACKS 52: logs are read twice, and compared with storage and money."""
    report = _verify(published, case.lie(published))

    codes = {finding.code for finding in report.findings}
    assert any(code.startswith(each) for code in codes for each in case.codes), codes
    for finding in report.findings:
        assert finding.code
        assert (finding.file, finding.block) != (None, None)


REFUSED: list[tuple[str, Lie, str]] = [
    ("null instead of logs", of("eth_getLogs", lambda _: None), "no list"),
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


@pytest.mark.parametrize(
    ("name", "lie", "said"), REFUSED, ids=lambda x: x if isinstance(x, str) else ""
)
def test_verify__node_that_answers_nonsense__is_refused_in_words(
    published: Published, name: str, lie: Lie, said: str
) -> None:
    with pytest.raises(AppError, match=said):
        _verify(published, lie)


def test_verify__head_that_is_old_or_ahead__is_found_unless_asked_for(
    published: Published,
) -> None:
    head = published.client.head()

    def codes(now_s: int, **more: Any) -> set[str]:
        report = _verify(published, lambda _m, _p, answer: answer, now_s=now_s, **more)
        return {finding.code for finding in report.findings}

    assert codes(head.time_s + 600) == set()
    assert codes(head.time_s + 601) == {"head_old"}
    assert codes(head.time_s + 601, max_age_s=601) == set()
    assert codes(head.time_s - 900) == set()
    assert codes(head.time_s - 901) == {"head_ahead"}
    assert codes(head.time_s + 10**9, at=head.number) == set()


def test_verify__of_an_earlier_block__says_what_was_then(published: Published) -> None:
    posted = [
        int(log["blockNumber"], 16)
        for log in published.client.request(
            "eth_getLogs",
            {
                "address": [published.deployment.statement_registry],
                "topics": [_topic(StatementPosted)],
                "fromBlock": "0x0",
                "toBlock": "latest",
            },
        )
    ]

    report = _verify(published, lambda _m, _p, answer: answer, at=posted[1] - 1)

    assert (report.findings, report.statements, report.block) == ((), 1, posted[1] - 1)
    assert report.block_hash == published.client.block(posted[1] - 1).hash
    assert "not_posted" in {warning.code for warning in report.warnings}
    with pytest.raises(ChainUnavailable, match="newest block"):
        _verify(published, lambda _m, _p, answer: answer, at=10**9)


def test_verify__head_becomes_another_block_meanwhile__is_found(published: Published) -> None:
    number, asked = published.client.head().number, []

    def lie(method: str, params: tuple[Any, ...], answer: Any) -> Any:
        if method == "eth_getBlockByNumber" and params[0] == hex(number):
            asked.append(params)
            return answer | {"hash": "0x" + "33" * 32}
        return answer

    report = _verify(published, lie)

    assert "head_changed" in {finding.code for finding in report.findings}
    assert asked


def test_verify__node_without_state_of_old_blocks__reads_all_logs(published: Published) -> None:
    """ATTACKS 52: the start block is found without old state, too."""
    from api.chain.client import RpcError

    def lie(method: str, params: tuple[Any, ...], answer: Any) -> Any:
        if method == "eth_getCode" and params[1] not in ("latest",):
            raise RpcError("eth_getCode: missing trie node")
        return answer

    assert _verify(published, lie).findings == ()


def test_verify__several_lies_that_agree__are_found(published: Published) -> None:
    """Logs and receipts without a payment: what the lockbox holds still says that it came."""
    topic = _topic(RentPaid)

    def without(receipt: dict[str, Any]) -> dict[str, Any]:
        logs = [log for log in receipt["logs"] if log["topics"][:1] != [topic]]
        return receipt | {"logs": logs}

    lie = every(_drop(RentPaid), of("eth_getTransactionReceipt", without))

    assert "money_stored" in {finding.code for finding in _verify(published, lie).findings}


@pytest.mark.parametrize(
    ("event", "place", "codes"),
    [
        (RentPaid, 3, {"payment_missing"}),
        (RevenueClaimedBatch, 2, {"payout_missing", "payout_unexplained"}),
    ],
)
def test_verify__payer_or_payee_of_an_event__is_the_one_of_the_token(
    published: Published, event: type[EventArgs], place: int, codes: set[str]
) -> None:
    """Who paid and who got is in the token's logs, too."""
    topic = _topic(event)

    def changed(log: dict[str, Any]) -> dict[str, Any]:
        if log["topics"][:1] == [topic]:
            log["topics"][place] = ADDRESS
        return log

    def receipt(found: dict[str, Any]) -> dict[str, Any]:
        return found | {"logs": [changed(log) for log in found["logs"]]}

    lie = every(of_logs(changed), of("eth_getTransactionReceipt", receipt))

    assert codes <= {f.code for f in _verify(published, lie).findings}


def test_verify__topics_changed_in_logs_and_receipts_alike__are_not_in_the_header(
    published: Published,
) -> None:
    """Of another lease and payer: no storage holds the lease."""
    topic = _topic(RentPaid)

    def changed(log: dict[str, Any]) -> dict[str, Any]:
        if log["topics"][:1] == [topic]:
            log["topics"][2] = OTHER
        return log

    def receipt(found: dict[str, Any]) -> dict[str, Any]:
        return found | {"logs": [changed(log) for log in found["logs"]]}

    lie = every(of_logs(changed), of("eth_getTransactionReceipt", receipt))

    assert {f.code for f in _verify(published, lie).findings} == {"log_not_in_header"}
