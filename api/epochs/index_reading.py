"""Reading logs of blocks so that none is missing: what a node says, held to the block's header."""

import logging
from collections.abc import Sequence

from api.chain.answers import Block, Log, bloom_bits
from api.chain.client import ChainClient
from api.chain.contracts import Contracts
from api.chain.events import contract_names, known_topics
from api.chain.rpc import BlockMissing, Malformed, RpcError
from api.db.index_store import LogRow
from api.domain.units import Address, Bytes32

_log = logging.getLogger(__name__)


class BlockLogs:
    """Logs of our contracts, block by block or by range."""

    def __init__(self, contracts: Contracts) -> None:
        self._client: ChainClient = contracts.client
        self.addresses = list(contract_names(contracts.deployment))
        # What a header's filter must have for an event that we read, by contract and topic.
        self._bits = {
            (address, topic): bloom_bits(bytes.fromhex(address[2:])) | bloom_bits(topic)
            for address, topic in known_topics(contracts.deployment)
        }

    def of_block(self, block: Block) -> list[Log]:
        """Logs of one block: from its receipts, where its header says that some are missing.

        Raises:  ChainUnavailable, RpcError.
        """
        logs = self._client.logs_of_block(self.addresses, block.hash)
        self._require_filtered(block, logs)
        return self.whole(block, logs)

    def of_range(self, first: int, last: int, *, again: bool = False) -> tuple[Block, list[Log]]:
        """Logs of final blocks, and the last of these blocks.

        Raises:  ChainUnavailable, also if the chain changed meanwhile; RpcError of a node that
                 refuses so long a range.
        """
        # The end's hash before and after: two nodes, or a reorg in between, would differ.
        before = self._client.block(last)
        logs = self._client.logs(self.addresses, first, last, whole=True, again=again)
        if self._client.block(last).hash != before.hash:
            raise BlockMissing(f"block {last} changed while its logs were read", block=last)
        ours = [log for log in logs if log.block_number == last]
        if any(log.block_hash not in {None, before.hash} for log in ours):
            raise Malformed(f"eth_getLogs: a log is of another block {last}", field="blockHash")
        return before, self.whole(before, logs)

    def whole(self, block: Block, logs: Sequence[Log]) -> list[Log]:
        """Logs with those of one block that its header has and the node left out."""
        ours = [log for log in logs if log.block_number == block.number]
        if not self.claims_more(block, ours):
            return list(logs)
        true = self.by_receipts(block)
        told = {log.log_index for log in ours}
        missing = [log for log in true if log.log_index not in told]
        if missing:
            _log.warning(
                "the node left out %d of %d logs of block %d: they are taken from its receipts",
                len(missing),
                len(true),
                block.number,
            )
        return [log for log in logs if log.block_number != block.number] + true

    def claims_more(self, block: Block, logs: Sequence[Log]) -> bool:
        """Whether a header says that there is an event, of a kind of which there is no log."""
        if not block.bloom_tells or block.logs_bloom is None:
            return False
        told = {(log.address, log.topics[0]) for log in logs if log.topics}
        filled = int.from_bytes(block.logs_bloom, "big")
        return any(filled & bits == bits for kind, bits in self._bits.items() if kind not in told)

    def by_receipts(self, block: Block) -> list[Log]:
        """Logs of a block by the receipts of all its transactions."""
        try:
            receipts = self._client.receipts_of_block(block.hash)
        except RpcError:
            # Not every node knows the method: one by one.
            hashes = self._client.transactions_of(block.hash)
            found = self._client.logged(hashes)
            if None in found:
                raise BlockMissing(f"a receipt of block {block.number} is missing") from None
            receipts = [receipt for receipt in found if receipt is not None]
        if any(receipt.block_hash != block.hash for receipt in receipts):
            raise Malformed(f"a receipt is of another block than {block.number}")
        logs = [log for receipt in receipts for log in receipt.logs]
        ours = set(self.addresses)
        return [log for log in logs if log.address in ours]

    @staticmethod
    def _require_filtered(block: Block, logs: Sequence[Log]) -> None:
        """That no log is of a contract which the header denies. Raises Malformed."""
        if block.bloom_tells and any(
            not block.may_log(bytes.fromhex(log.address[2:]), *log.topics) for log in logs
        ):
            raise Malformed(f"eth_getLogs: block {block.number} has a log that its header lacks")


def log_row(log: Log, time_s: int) -> LogRow:
    """Row of a log."""
    return LogRow(
        block_number=log.block_number,
        log_index=log.log_index,
        block_time_s=time_s,
        tx_hash=log.tx_hash,
        address=log.address,
        topics=b"".join(log.topics),
        data=log.data,
    )


def to_log(row: LogRow) -> Log:
    """The log of a row."""
    topics = tuple(row.topics[i : i + 32] for i in range(0, len(row.topics), 32))
    return Log(
        address=Address(row.address),
        topics=topics,
        data=row.data,
        block_number=row.block_number,
        block_time_s=row.block_time_s,
        log_index=row.log_index,
        tx_hash=Bytes32(row.tx_hash),
    )
