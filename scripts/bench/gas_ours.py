"""Gas of Rentroll itself: the deployed system, brought to a steady state by its own calls."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eth_abi.abi import encode
from web3 import Web3

from api.domain.facility import (
    DEFAULT_ATTESTER_FEE_BPS,
    DEFAULT_LONG_STOP_S,
    DEFAULT_PATIENCE_S,
    DEFAULT_SEAL_S,
)
from scripts.bench.gas_yard import Yard, hash_pair
from scripts.dev.devchain import ROOT

EPOCH_S = 3_600
CHALLENGE_WINDOW_S = 600
WINDOW_START_LEAD_S = 86_400
ATTESTERS = range(4, 7)
OPERATOR, RENTER, ANYBODY = 1, 8, 9
ANN, BOB = 20, 21
TREE_DEPTH = 20

_EPOCHS = 24
_DEVICES = 64
_UNITS = 300
# Facilities of one tranche, of two (ten ids), and of four, with one of two: fifty tranches.
ONE_TRANCHE = 1
TEN_IDS = range(2, 7)
FIFTY_TRANCHES = range(11, 24)
# Fifty facilities of one tranche, posted in one batch and settled in one call.
BATCH = range(101, 151)
_COUNTS = {
    ONE_TRANCHE: 1,
    **dict.fromkeys(TEN_IDS, 2),
    **dict.fromkeys(FIFTY_TRANCHES, 4),
    23: 2,
    **dict.fromkeys(BATCH, 1),
}
_LINE_TYPE = (
    "(uint64,uint32,uint32,uint8,bytes32,bytes32,uint64,uint64,uint64,int128,uint64,int128)"
)


def tranche_id(facility_id: int, seniority: int) -> int:
    """ERC-1155 id of a tranche."""
    return facility_id << 8 | seniority


@dataclass
class Statements:
    """What was posted of each facility."""

    next_epoch: dict[int, int] = field(default_factory=dict)
    hashes: dict[int, bytes] = field(default_factory=dict)


class Ours:
    """The deployed contracts with facilities, holders and rent; methods measure one operation."""

    def __init__(self, yard: Yard, deployment_file: Path) -> None:
        self.yard = yard
        named = json.loads(deployment_file.read_text())["contracts"]
        self._addresses = {name: entry["address"] for name, entry in named.items()}
        self.dollar = self._contract("SettlementToken", "MockStablecoin")
        self._facilities = self._contract("FacilityRegistry")
        self._statements = self._contract("StatementRegistry")
        self._pledges = self._contract("PledgeRegistry")
        self._token = self._contract("TrancheToken")
        self._lockbox = self._contract("RentLockbox")
        self._investors = self._contract("InvestorRegistry")
        self._ann, self._bob = yard.accounts[ANN], yard.accounts[BOB]
        self._start_s = yard.now_s() + WINDOW_START_LEAD_S
        self._posted = Statements()
        self._attesters = sorted(
            (yard.key(i) for i in ATTESTERS), key=lambda account: int(account.address, 16)
        )

    def _contract(self, name: str, artifact: str = "") -> Any:
        found = json.loads((ROOT / f"build/contracts/{artifact or name}.json").read_text())
        return self.yard.web3.eth.contract(address=self._addresses[name], abi=found["abi"])

    # --- steady state --------------------------------------------------------------------------

    def prepare(self) -> None:
        """Offer, mint to both holders, fund, pay rent ahead, and settle two epochs of all."""
        for holder in (self._ann, self._bob, self.yard.accounts[OPERATOR]):
            entry = (2**64 - 1, 752, True, True)
            self.yard.send(self._investors.functions.setInvestor(holder, entry))
        self.yard.send(self.dollar.functions.mint(self.yard.accounts[RENTER], 10**15))
        approve = self.dollar.functions.approve(self._lockbox.address, 2**200)
        self.yard.send(approve, sender=RENTER)
        for holder in (self._ann, self._bob):
            self.yard.send(self.dollar.functions.mint(holder, 1))
        for facility_id, count in _COUNTS.items():
            self._open(facility_id, count)
        self.yard.chain.set_time(self._start_s)
        for _ in range(2):
            self.settle_epoch(tuple(_COUNTS))
        ids = self.ten_ids()
        for holder in (ANN, BOB):
            claim = self._token.functions.claim(
                [tranche_id(ONE_TRANCHE, 0), *ids], self.yard.accounts[holder]
            )
            self.yard.send(claim, sender=holder)

    def _open(self, facility_id: int, tranche_count: int) -> None:
        operator = self.yard.accounts[OPERATOR]
        terms = (
            operator,
            self.dollar.address,
            b"H100-SXM5-80GB".ljust(32, b"\0"),
            b"SE-LULEA-1".ljust(32, b"\0"),
            self._start_s,
            self._start_s + _EPOCHS * EPOCH_S,
            self._start_s + EPOCH_S,
            EPOCH_S,
            _DEVICES,
            990_000,
            100,
            DEFAULT_ATTESTER_FEE_BPS,
            DEFAULT_PATIENCE_S,
            DEFAULT_SEAL_S,
            DEFAULT_LONG_STOP_S,
            b"\x01" * 32,
            b"\x02" * 32,
        )
        last = tranche_count - 1
        tranches = [(_UNITS, 0 if n == last else 24_000) for n in range(tranche_count)]
        offer = self._facilities.functions.offer(facility_id, terms, tranches)
        self.yard.send(offer, sender=OPERATOR)
        bond = self._contract("BondVault").functions.setTerms(facility_id, (0, 10**6))
        self.yard.send(bond, sender=OPERATOR)
        for seniority in range(tranche_count):
            for holder in (self._ann, self._bob):
                mint = self._token.functions.mint(
                    holder, tranche_id(facility_id, seniority), _UNITS // 2
                )
                self.yard.send(mint, sender=OPERATOR)
        digest = self._pledges.functions.pledgeDigest(facility_id, terms[15], 0).call()
        approve = self._pledges.functions.approve(facility_id, self._signed(digest))
        self.yard.send(approve, sender=ANYBODY)
        self.yard.send(self._facilities.functions.fund(facility_id), sender=OPERATOR)
        rent = self._lockbox.functions.payRent(facility_id, b"\x03" * 32, 10**11)
        self.yard.send(rent, sender=RENTER)

    def ten_ids(self) -> list[int]:
        """Ids of five facilities with two tranches each."""
        return [tranche_id(f, s) for f in TEN_IDS for s in range(2)]

    def settle_epoch(self, facilities: Sequence[int]) -> int:
        """Post the next epoch of each, wait until it is final, settle all in one call.

        Returns: gas of the settlement.
        """
        self._end_epoch(facilities)
        for facility_id in facilities:
            self.post(facility_id)
        self.yard.wait(CHALLENGE_WINDOW_S)
        settle = self._lockbox.functions.settleMany(list(facilities))
        return self.yard.send(settle, sender=ANYBODY)

    def _end_epoch(self, facilities: Sequence[int]) -> None:
        ended = max(self._posted.next_epoch.get(f, 0) for f in facilities) + 1
        end_s = self._start_s + ended * EPOCH_S
        if self.yard.now_s() < end_s:
            self.yard.chain.set_time(end_s)

    # --- one operation each ----------------------------------------------------------------------

    def transfer(self) -> int:
        """Ten units from ann to bob; both hold, and revenue came since both were touched."""
        move = self._token.functions.safeTransferFrom(
            self._ann, self._bob, self.ten_ids()[0], 10, b""
        )
        return self.yard.send(move, sender=ANN)

    def transfer_ten(self) -> int:
        """One unit of ten ids in a batch."""
        ids = self.ten_ids()
        move = self._token.functions.safeBatchTransferFrom(self._ann, self._bob, ids, [1] * 10, b"")
        return self.yard.send(move, sender=ANN)

    def claim(self, ids: Sequence[int]) -> int:
        """Claim all revenue of `ids`."""
        claim = self._token.functions.claim(list(ids), self._ann)
        return self.yard.send(claim, sender=ANN)

    def statement(self, facility_id: int, *, root: bytes, line_count: int) -> tuple[Any, ...]:
        """The next statement of a facility, in the order of its ABI."""
        epoch = self._posted.next_epoch.get(facility_id, 0)
        start_s = self._start_s + epoch * EPOCH_S
        return (
            facility_id,
            epoch,
            start_s,
            start_s + EPOCH_S,
            _DEVICES * EPOCH_S - 1_234,
            0,
            200_000,
            777_123_456,
            line_count,
            root,
            b"\x05" * 32,
            self._posted.hashes.get(facility_id, bytes(32)),
            4_200,
            3_100,
        )

    def post(self, facility_id: int, statement: tuple[Any, ...] | None = None) -> int:
        """Post the next statement with three signatures."""
        if statement is None:
            statement = self.statement(facility_id, root=b"\x04" * 32, line_count=1_000)
        digest = self._statements.functions.statementDigest(statement).call()
        post = self._statements.functions.post(statement, self._signed(digest))
        gas = self.yard.send(post, sender=ANYBODY)
        self._remember(statement, self._hash(statement))
        return gas

    def _signed(self, digest: bytes) -> list[tuple[str, bytes]]:
        """Every attester's signature over a digest, in order of address."""
        return [
            (account.address, bytes(account.unsafe_sign_hash(digest).signature))
            for account in self._attesters
        ]

    def _hash(self, statement: tuple[Any, ...]) -> bytes:
        return bytes(self._statements.functions.hashStatement(statement).call())

    def _remember(self, statement: tuple[Any, ...], statement_hash: bytes) -> None:
        self._posted.next_epoch[statement[0]] = statement[1] + 1
        self._posted.hashes[statement[0]] = statement_hash

    def post_and_settle_many(self) -> tuple[int, int]:
        """The next epoch of fifty facilities, in one batch and one settlement: gas of both."""
        self._end_epoch(BATCH)
        made = [self.statement(f, root=b"\x04" * 32, line_count=1_000) for f in BATCH]
        hashed = sorted(
            ((self._hash(statement), statement) for statement in made),
            key=lambda pair: bytes(Web3.keccak(Web3.keccak(pair[0]))),
        )
        root = self._statements.functions.batchRoot([found for found, _ in hashed]).call()
        digest = self._statements.functions.batchDigest(root).call()
        batch = [statement for _, statement in hashed]
        post = self._statements.functions.postMany(batch, self._signed(digest))
        posted = self.yard.send(post, sender=ANYBODY)
        for statement_hash, statement in hashed:
            self._remember(statement, statement_hash)
        self.yard.wait(CHALLENGE_WINDOW_S)
        settle = self._lockbox.functions.settleMany(list(BATCH))
        return posted, self.yard.send(settle, sender=ANYBODY)

    def post_and_settle(self) -> tuple[int, int]:
        """The next epoch of a facility with one tranche: gas of both transactions."""
        self._end_epoch([ONE_TRANCHE])
        posted = self.post(ONE_TRANCHE)
        self.yard.wait(CHALLENGE_WINDOW_S)
        settle = self._lockbox.functions.settle(ONE_TRANCHE)
        return posted, self.yard.send(settle, sender=ANYBODY)

    def book_and_pay(self) -> tuple[int, int]:
        """Duties of the newest final statement, and the pay of one attester: gas of both."""
        desk = self._contract("AttesterDesk").functions
        epoch = self._posted.next_epoch[ONE_TRANCHE] - 1
        for before in range(epoch):
            self.yard.send(desk.book(ONE_TRANCHE, before), sender=ANYBODY)
        booked = self.yard.send(desk.book(ONE_TRANCHE, epoch), sender=ANYBODY)
        self.yard.send(desk.collect(ONE_TRANCHE), sender=ANYBODY)
        attester = self.yard.accounts[ATTESTERS[0]]
        return booked, self.yard.send(desk.pay(ONE_TRANCHE, attester), sender=ANYBODY)

    def proofs(self) -> tuple[int, int]:
        """Among 2^20 lines with one device billed twice: inclusion, and the fault's proof."""
        epoch = self._posted.next_epoch[ONE_TRANCHE]
        start_s = self._start_s + epoch * EPOCH_S
        lines = (
            _line(epoch, start_s=start_s, index=524_287, billed_before=1_887_435_000),
            _line(epoch, start_s=start_s + 1_799, index=524_288, billed_before=1_887_436_800),
        )
        root, proofs = _sparse_tree([_leaf(line) for line in lines])
        statement = self.statement(ONE_TRANCHE, root=root, line_count=1 << TREE_DEPTH)
        self._end_epoch([ONE_TRANCHE])
        self.post(ONE_TRANCHE, statement)
        verify = self._statements.functions.verifyLine(statement, lines[0], proofs[0])
        if not verify.call():
            raise RuntimeError("the line's proof was refused")
        inclusion = self.yard.send(verify, sender=ANYBODY)
        first, second = zip(lines, proofs, strict=True)
        challenge = self._statements.functions.challengePair(statement, first, second)
        return inclusion, self.yard.send(challenge, sender=ANYBODY)


def _line(epoch: int, *, start_s: int, index: int, billed_before: int) -> tuple[Any, ...]:
    """A half-hour of the one device at 2.49 dollars an hour, after `billed_before` GPU-seconds."""
    seconds, charge = 1_800, 1_245_000
    return (
        ONE_TRANCHE,
        epoch,
        index,
        0,
        bytes(Web3.keccak(text="device")),
        bytes(Web3.keccak(text=f"lease {index}")),
        start_s,
        start_s + seconds,
        seconds,
        charge,
        billed_before + seconds,
        (billed_before // seconds + 1) * charge,
    )


def _leaf(line: tuple[Any, ...]) -> bytes:
    return bytes(Web3.keccak(Web3.keccak(encode([_LINE_TYPE], [line]))))


def _sparse_tree(leaves: Sequence[bytes]) -> tuple[bytes, list[list[bytes]]]:
    """Root and proofs of two leaves of 2^20 that part right below the root; the rest is made up."""
    nodes = list(leaves)
    proofs: list[list[bytes]] = [[], []]
    for depth in range(TREE_DEPTH - 1):
        for side in range(2):
            sibling = bytes(Web3.keccak(text=f"{side} {depth}"))
            proofs[side].append(sibling)
            nodes[side] = hash_pair(nodes[side], sibling)
    proofs[0].append(nodes[1])
    proofs[1].append(nodes[0])
    return hash_pair(*nodes), proofs
