"""Verify, part 0: every log of our contracts, read twice and decoded, or found."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from eth_abi.exceptions import DecodingError

from api.chain.answers import Block, Log, Logged
from api.chain.client import ChainClient
from api.chain.contracts import Contracts
from api.chain.emitted.unread import UNREAD_TOPICS
from api.chain.events import (
    LOG_RANGE,
    AnyEvent,
    BlockTimes,
    contract_names,
    decode_log,
    is_known,
)
from api.domain.units import Bytes32
from api.evidence_store import HOSTILE
from api.verify.findings import Finding, Report

_Said = tuple[str, tuple[bytes, ...], bytes]


def _said(log: Log) -> _Said:
    return str(log.address), log.topics, log.data


class Walk:
    """Events of our contracts in order of the chain, from their first block to the last one read.

    A node answers with logs by their range, and again by the receipts of their transactions: a log
    that only one of the two has is found, and so is one of a block that the chain does not have.
    """

    def __init__(
        self, contracts: Contracts, *, last: int, kept: Collection[bytes], report: Report
    ) -> None:
        """Args: kept: topics of logs that stay known of each receipt, of all contracts."""
        self._client, self._report, self._kept = contracts.client, report, kept
        self._names = contract_names(contracts.deployment)
        self._first, self._last = contracts.deployment.start_block, last
        self._time_s = 0
        # What each transaction logged, by its receipt; and headers of the blocks at hand.
        self.receipts: dict[Bytes32, Logged] = {}
        self._blocks: dict[int, Block] = {}

    def __iter__(self) -> Iterator[AnyEvent]:
        for first in range(self._first, self._last + 1, LOG_RANGE):
            last = min(self._last, first + LOG_RANGE - 1)
            # The client takes no log of another contract or block, and none twice.
            logs = self._client.logs(list(self._names), first, last)
            self._blocks = {}
            self._read_blocks(logs)
            self._read_receipts(logs)
            yield from self._decoded(logs)

    # --- what the node says of a log -------------------------------------------------------------

    def _finding(self, code: str, message: str, log: Log) -> None:
        place = {"block": log.block_number, "tx_hash": log.tx_hash, "log_index": log.log_index}
        self._report(Finding(message, code=code, **place))  # type: ignore[arg-type]

    def _read_blocks(self, logs: Sequence[Log]) -> None:
        numbers = sorted({log.block_number for log in logs})
        for number, block in zip(numbers, self._client.blocks(numbers), strict=True):
            if block.time_s < self._time_s:
                message = f"block {number} has a time before that of earlier ones"
                self._report(Finding(message, code="block_wrong", block=number))
            self._time_s = max(self._time_s, block.time_s)
            self._blocks[number] = block
        for log in logs:
            block = self._blocks[log.block_number]
            if log.block_hash not in (None, block.hash):
                message = f"is of block 0x{(log.block_hash or b'').hex()}, which the chain lacks"
                self._finding("log_of_other_block", message, log)
            if not block.may_log(bytes.fromhex(log.address[2:]), *log.topics):
                message = "its address and topics are not in the header of its block"
                self._finding("log_not_in_header", message, log)
            if log.block_time_s not in (None, block.time_s):
                message = f"names the time {log.block_time_s} where its block has {block.time_s}"
                self._finding("log_time", message, log)

    def _read_receipts(self, logs: Sequence[Log]) -> None:
        by_tx: dict[Bytes32, list[Log]] = {}
        for log in logs:
            by_tx.setdefault(log.tx_hash, []).append(log)
        hashes = list(by_tx)
        for tx_hash, receipt in zip(hashes, self._client.logged(hashes), strict=True):
            found = by_tx[tx_hash]
            if receipt is None or not receipt.succeeded:
                message = "is of a transaction without a receipt, or that reverted"
                self._finding("log_unreceipted", message, found[0])
                continue
            self._compare(found, receipt)
            kept = tuple(log for log in receipt.logs if set(log.topics[:1]) & set(self._kept))
            self.receipts[tx_hash] = replace(receipt, logs=kept)

    def _compare(self, found: Sequence[Log], receipt: Logged) -> None:
        block = self._blocks[found[0].block_number]
        if (receipt.block_number, receipt.block_hash) != (block.number, block.hash):
            message = "is of a transaction that was mined in another block"
            self._finding("log_unreceipted", message, found[0])
        by_range = {log.log_index: log for log in found}
        ours = {log.log_index: log for log in receipt.logs if log.address in self._names}
        for index in sorted(by_range.keys() | ours.keys()):
            ranged, received = by_range.get(index), ours.get(index)
            if ranged is None or received is None or _said(ranged) != _said(received):
                log = ranged or received
                assert log is not None
                message = "the logs of its block and the receipt of its transaction differ in a log"
                self._finding("log_unreceipted", message, log)

    # --- what it means ---------------------------------------------------------------------------

    def _decoded(self, logs: Sequence[Log]) -> Iterator[AnyEvent]:
        times = _Headers(self._client, self._blocks)
        events: list[AnyEvent] = []
        for log in logs:
            name = self._names[log.address]
            if log.topics and (name, log.topics[0]) in UNREAD_TOPICS:
                continue
            if not is_known(log, self._names):
                topic = f"topic 0x{log.topics[0].hex()}" if log.topics else "no topic"
                self._finding("log_unknown", f"{name} has no event of {topic}", log)
                continue
            try:
                events += decode_log(log, self._names, times)
            except (DecodingError, StopIteration, *HOSTILE) as error:
                message = f"an event of {name} cannot be read: {error!r}"
                self._finding("log_undecodable", message, log)
        yield from sorted(events, key=lambda event: event.place)


class _Headers(BlockTimes):
    """Times of blocks by their headers alone: what a log says of its time is compared before."""

    def __init__(self, client: ChainClient, blocks: dict[int, Block]) -> None:
        super().__init__(client)
        self._blocks = blocks

    def of(self, log: Log) -> int:
        """Time of a log's block."""
        return self._blocks[log.block_number].time_s


def iter_events(walk: Walk) -> Iterator[AnyEvent]:
    """All events of a walk, in order of the chain."""
    yield from walk
