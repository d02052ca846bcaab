"""A node that lies: each lie is found and named, or refused in words; none is believed."""

from collections.abc import Iterator
from typing import Any

import pytest

from api.chain.emitted.args import EventArgs
from api.chain.emitted.rent_lockbox import RentPaid
from api.chain.emitted.statement_registry import StatementPosted
from api.chain.emitted.tranche_token import (
    RevenueClaimedBatch,
)
from api.db.migrate import upgrade
from api.db.session import open_engine
from api.errors import AppError, ChainUnavailable
from api.verify.verify import VerifyReport, verify
from tests.liars import Liar, Lie, every, of, of_logs
from tests.lies import ADDRESS, CASES, OTHER, REFUSED, Case, drop
from tests.lies import topic as topic_text
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
                "topics": [topic_text(StatementPosted)],
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
    topic = topic_text(RentPaid)

    def without(receipt: dict[str, Any]) -> dict[str, Any]:
        logs = [log for log in receipt["logs"] if log["topics"][:1] != [topic]]
        return receipt | {"logs": logs}

    lie = every(drop(RentPaid), of("eth_getTransactionReceipt", without))

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
    topic = topic_text(event)

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
    topic = topic_text(RentPaid)

    def changed(log: dict[str, Any]) -> dict[str, Any]:
        if log["topics"][:1] == [topic]:
            log["topics"][2] = OTHER
        return log

    def receipt(found: dict[str, Any]) -> dict[str, Any]:
        return found | {"logs": [changed(log) for log in found["logs"]]}

    lie = every(of_logs(changed), of("eth_getTransactionReceipt", receipt))

    assert {f.code for f in _verify(published, lie).findings} == {"log_not_in_header"}
