"""Whether the books are right after all: chain against database against contracts."""

import json
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field

from sqlalchemy import select

from api.chain.answers import to_number
from api.chain.events import events_in
from api.db.chain_store import EventRow
from api.db.rows import columns_of
from api.db.session import open_engine, reading
from api.db.tables.chain import chain_events
from api.db.tables.outbox import signed_transactions
from api.db.tables.statements import statements
from api.epochs.index import event_row
from scripts.dev.stack import wallet
from tests.chaos.site import GRACE_S, RELAYERS, Site

_NO_DATABASE = "the database does not answer"
_ORDER = (chain_events.c.block_number, chain_events.c.log_index, chain_events.c.part)


@dataclass
class Judge:
    """What was seen so far, and all that is wrong."""

    site: Site
    problems: list[str] = field(default_factory=list)
    transactions: int = 0
    reverted: list[str] = field(default_factory=list)
    _final: int = -1
    _seen: int = -1

    def __post_init__(self) -> None:
        self._engine = open_engine(self.site.database_url)
        self._seen = self.site.client.head().number

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def after(self, epoch: int, *, lied: bool) -> None:
        """Everything that has to hold once an epoch is posted and the index has caught up.

        Args:    lied: whether nodes did; then a transaction may have been sent that must revert.
        """
        self._require_past()
        self._require_posted(epoch)
        self._require_rows()
        self._require_sums()
        self._require_known(lied=lied)
        self._require_final()
        self._require_alive()

    def _wrong(self, text: str) -> None:
        self.problems.append(text)

    def _require_past(self) -> None:
        """Nothing is closed whose cut-off is not past by the chain."""
        now_s = self.site.client.head().time_s
        with reading(self._engine) as connection:
            c = statements.c
            query = select(c.facility_id, c.epoch).where(c.epoch_end_s + GRACE_S > now_s)
            for facility_id, early in connection.execute(query):
                self._wrong(f"facility {facility_id}: epoch {early} was closed before its cut-off")

    def _require_posted(self, epoch: int) -> None:
        head = self.site.client.head().number
        first = self.site.deployment.start_block
        posts = Counter(
            (event.args.facility_id, event.args.epoch)
            for event in events_in(self.site.contracts, first, head)
            if event.name == "StatementPosted"
        )
        for hall in self.site.halls:
            found = {e: n for (facility, e), n in posts.items() if facility == hall.facility_id}
            if found != dict.fromkeys(range(epoch + 1), 1):
                self._wrong(f"epoch {epoch}: facility {hall.facility_id} has postings {found}")

    def _require_rows(self) -> None:
        """The index is what the chain says, row by row."""
        head = self.site.client.head().number
        first = self.site.deployment.start_block
        wanted = [event_row(e) for e in events_in(self.site.contracts, first, head)]
        wanted.sort(key=lambda row: (row.block_number, row.log_index, row.part))
        with reading(self._engine) as connection:
            query = select(*columns_of(EventRow)).order_by(*_ORDER)
            found = [EventRow(*row) for row in connection.execute(query)]
        if found != wanted:
            missing, extra = {*wanted} - {*found}, {*found} - {*wanted}
            self._wrong(f"index: {len(missing)} rows missing, {len(extra)} too many")

    def _require_sums(self) -> None:
        """What the index adds up to is what the contracts hold."""
        c = chain_events.c
        for hall in self.site.halls:
            book = self.site.now(self.site.contracts.rent_lockbox.book_of(hall.facility_id))
            with reading(self._engine) as connection:
                query = select(c.event, c.amount).where(
                    c.facility_id == hall.facility_id, c.event.in_(("RentPaid", "Settled"))
                )
                rows = connection.execute(query).all()
            paid = sum(amount for event, amount in rows if event == "RentPaid")
            settled = sum(amount for event, amount in rows if event == "Settled")
            if (paid, settled) != (book.collected_micros, book.settled_micros):
                self._wrong(f"facility {hall.facility_id}: {paid}/{settled}, contract has {book}")

    def _require_known(self, *, lied: bool) -> None:
        """Each mined transaction of a relayer is one that the database knows, and succeeded."""
        ours = {wallet(index).address.lower() for index in RELAYERS}
        head = self.site.client.head().number
        known = self._known_hashes()
        for number in range(max(0, self._seen - 8), head + 1):
            block = self.site.client.request("eth_getBlockByNumber", hex(number), True)
            assert isinstance(block, dict)
            for sent in block["transactions"]:
                if sent["from"].lower() not in ours:
                    continue
                tx_hash = sent["hash"]
                self.transactions += number > self._seen
                if tx_hash not in known:
                    self._wrong(f"transaction {tx_hash} is mined, and the database knows nothing")
                receipt = self.site.client.request("eth_getTransactionReceipt", tx_hash)
                assert isinstance(receipt, dict)
                status = to_number("eth_getTransactionReceipt", receipt["status"])
                if status != 1 and tx_hash not in self.reverted:
                    self.reverted.append(tx_hash)
                    if not lied:
                        self._wrong(f"transaction {tx_hash} reverted, and no node had lied")
        self._seen = head

    def _known_hashes(self) -> set[str]:
        with reading(self._engine) as connection:
            hashes = connection.execute(select(signed_transactions.c.tx_hash)).scalars()
            return {"0x" + tx_hash.hex() for tx_hash in hashes}

    def _require_final(self) -> None:
        final = self.site.get("/v1/status")["final_block"]
        if final is None or final < self._final:
            self._wrong(f"final block went from {self._final} to {final}")
        else:
            self._final = final

    def _require_alive(self) -> None:
        for ended in self.site.processes.exits:
            # An API that finds no database when it starts says so, and a supervisor tries again.
            if ended.name == "api" and self.site.server and _NO_DATABASE in ended.log:
                continue
            self._wrong(f"{ended.name} ended by itself with {ended.code}: {ended.log[-400:]}")
        self.site.processes.exits.clear()

    def verify(self) -> None:
        """`rentroll verify` has the last word."""
        command = [sys.executable, "-m", "api.cli.commands", "verify", "--json", "--any-age"]
        command += [self.site.chain.rpc_url, str(self.site.folder / "evidence")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            said = json.loads(done.stdout)["findings"] if done.stdout.strip() else done.stderr
            self._wrong(f"verify: {json.dumps(said)[:1_500]}")
