"""Registers of statements, attesters and pledges, with facilities that tests set up in one call."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import brownie
from brownie import chain

from api.domain.facility import FacilityTerms, Period
from api.domain.hashing import sha256
from api.domain.merkle import MerkleTree
from api.domain.statements.closing import ClosedEpoch
from api.domain.statements.lines import Line, usage_tree
from api.domain.statements.statement import Statement, statement_digest, statement_hash
from api.domain.units import ZERO32, Bytes32, Epoch, GpuSeconds, Micros
from tests.contracts.attesting import batch_digest, batch_tree, by_address, in_batch_order, signed
from tests.contracts.pledges import Pledge, pledge_of
from tests.ledgers import closed_epochs, facility

WINDOW_S = 600
# Minor units of the bond token.
BOND, MINIMUM, SLASH = 20_000, 8_000, 1_000
OFFERED, FUNDED, CANCELLED, DEFAULTED = 1, 2, 5, 6
FACILITY_ID = 7


class RegistryWorld:
    """Statements, attesters and pledges, with one delivering facility of the first panel.

    Three attesters have its seats, and two of them must sign.
    """

    def __init__(self, accounts: Any, *, delays: tuple[int, int] = (0, 0)) -> None:
        project = brownie.project.get_loaded_projects()[0]
        self.accounts, self.project = accounts, project
        self.owner, self.challenger, self.anybody = accounts[0], accounts[8], accounts[9]
        by_owner = {"from": self.owner}
        self.facilities = project.MockFacilityRegistry.deploy(by_owner)
        self.dollar = project.MockStablecoin.deploy(by_owner)
        self.authority = project.Authority.deploy(self.owner, by_owner)
        self.wallets = project.WalletDesk.deploy(self.authority, self.facilities, by_owner)
        arguments = (self.authority, self.facilities, self.dollar, MINIMUM, SLASH, *delays)
        self.members = project.AttesterRegistry.deploy(*arguments, self.wallets, by_owner)
        self.pledges = project.PledgeRegistry.deploy(self.facilities, by_owner)
        desk = (self.authority, self.facilities, self.wallets)
        self.desk = project.AttesterDesk.deploy(*desk, by_owner)
        self.registry = self.deploy()
        self.facilities.link(self.members, self.pledges, self.registry, self.desk, by_owner)
        # In order of address, so that their slots are too.
        self.attesters = by_address(accounts.add() for _ in range(3))
        for attester in self.attesters:
            self.fund_and_admit(attester)
        self.members.setPanel(1, self.attesters, by_owner)
        self.terms = facility(window_start_s=chain[-1].timestamp + 100)
        self.pledge = self.set_facility(self.terms)

    def deploy(self) -> Any:
        """A registry of statements."""
        arguments = (self.authority, self.facilities, self.members, WINDOW_S)
        return self.project.StatementRegistry.deploy(*arguments, {"from": self.owner})

    def new_attester(self) -> Any:
        """A new member with a key, a bond and gas, without a seat."""
        return self.fund_and_admit(self.accounts.add())

    def fund_and_admit(self, attester: Any) -> Any:
        """Give an account gas, and make it a member with a bond."""
        self.owner.transfer(attester, "1 ether")
        self.admit(attester)
        return attester

    def admit(self, attester: Any, bond: int = BOND) -> None:
        """Make an account a member with a bond."""
        self.members.setAttester(attester, True, {"from": self.owner})
        if bond:
            self.deposit(attester, bond)

    def deposit(self, attester: Any, amount: int) -> Any:
        """Pay into an attester's bond."""
        payer = {"from": self.anybody}
        self.dollar.mint(self.anybody, amount, payer)
        self.dollar.approve(self.members, amount, payer)
        return self.members.depositBond(attester, amount, payer)

    def bonds(self, attesters: Sequence[Any] | None = None) -> list[int]:
        """Bonds of attesters, in the order given."""
        return [self.members.bondOf(a) for a in attesters or self.attesters]

    def owed(self, account: Any) -> int:
        """What an account earned by challenges."""
        return self.members.owedTo(self.dollar, account)

    def set_facility(
        self,
        terms: FacilityTerms,
        *,
        state: int = FUNDED,
        panel: int = 1,
        pledge: Pledge | None = None,
        approved: bool = True,
        **changes: Any,
    ) -> Pledge:
        """Put a facility on the register, its pledge approved; returns the pledge."""
        pledge = pledge or pledge_of(terms)
        values = {
            "gpuOperator": self.owner.address,
            "settlementToken": terms.settlement_token,
            "gpuClass": b"H100".ljust(32, b"\0"),
            "site": b"SITE".ljust(32, b"\0"),
            "windowStart": terms.window_start_s,
            "windowEnd": terms.window_end_s,
            "expiresAt": terms.expires_at_s,
            "epochLength": terms.epoch_length_s,
            "deviceCount": terms.device_count,
            "promisedAvailabilityPpm": terms.promised_availability_ppm,
            "feeBps": terms.fee_bps,
            "attesterFeeBps": terms.attester_fee_bps,
            "patienceSeconds": terms.patience_s,
            "sealSeconds": terms.seal_s,
            "longStopSeconds": terms.long_stop_s,
            "pledgeRoot": pledge.root,
            "termsHash": sha256(b"terms"),
        }
        row = tuple((values | changes).values())
        by_owner = {"from": self.owner}
        self.facilities.setFacility(terms.facility_id, row, OFFERED, panel, by_owner)
        if approved and not self.pledges.isApproved(terms.facility_id):
            self.approve(pledge)
        self.facilities.setState(terms.facility_id, state, by_owner)
        return pledge

    def sign_pledge(
        self, pledge: Pledge, from_epoch: int = 0, attesters: Sequence[Any] | None = None
    ) -> list[tuple[str, bytes]]:
        """Attestations that a pledge holds from an epoch on, as long as no other is approved."""
        digest = self.pledges.pledgeDigest(pledge.facility_id, pledge.root, from_epoch)
        return signed(bytes(digest), self.attesters[:2] if attesters is None else attesters)

    def approve(self, pledge: Pledge, attesters: Sequence[Any] | None = None) -> Any:
        """Attesters approve the pledge of an offer."""
        attested = self.sign_pledge(pledge, attesters=attesters)
        return self.pledges.approve(pledge.facility_id, attested, {"from": self.anybody})

    def replace_devices(self, pledge: Pledge, from_epoch: int) -> Any:
        """The operator, here the owner, pledges other devices from an epoch on."""
        arguments = (pledge.facility_id, pledge.root, from_epoch)
        attested = self.sign_pledge(pledge, from_epoch)
        return self.pledges.replace(*arguments, attested, {"from": self.owner})

    def closed(self, seed: int = 1) -> list[ClosedEpoch]:
        """Honest epochs of the facility over a random ledger."""
        return closed_epochs(seed, self.terms)

    def sign(
        self, statement: Statement, attesters: Sequence[Any] | None = None, **domain: Any
    ) -> list[tuple[str, bytes]]:
        """Attestations in the order given."""
        place = {"chain_id": chain.id, "registry": self.registry.address} | domain
        digest = statement_digest(statement, **place)
        return signed(digest, self.attesters[:2] if attesters is None else attesters)

    def shown(self, statement: Statement, attesters: Sequence[Any]) -> tuple[Any, ...]:
        """`Signed`: signatures over a statement alone."""
        return (False, [], self.sign(statement, attesters))

    def post(self, statement: Statement, attesters: Sequence[Any] | None = None) -> Any:
        """Pass the epoch's end and post."""
        wait_until(statement.epoch_end_s)
        attested = self.sign(statement, attesters)
        return self.registry.post(statement.as_abi_tuple(), attested, {"from": self.anybody})


class Batch:
    """Statements under one root, in the order in which they are posted."""

    def __init__(self, book: RegistryWorld, statements: Sequence[Statement]) -> None:
        hashes = [statement_hash(given) for given in statements]
        order = in_batch_order(hashes)
        self._book = book
        self.statements = [statements[i] for i in order]
        self.hashes = [hashes[i] for i in order]
        self.tree = batch_tree(self.hashes)

    def sign(self, attesters: Sequence[Any] | None = None) -> list[tuple[str, bytes]]:
        """Attestations over the root."""
        digest = batch_digest(self._book.registry, self.tree.root)
        return signed(digest, self._book.attesters[:2] if attesters is None else attesters)

    def shown(self, statement: Statement, attesters: Sequence[Any]) -> tuple[Any, ...]:
        """`Signed`: signatures over the root, and the statement's path to it."""
        path = self.tree.proof(self.statements.index(statement))
        return (True, path, self.sign(attesters))

    def post(self, attesters: Sequence[Any] | None = None, **sender: Any) -> Any:
        """Pass the epochs' ends and post all in one call."""
        wait_until(max(given.epoch_end_s for given in self.statements))
        rows = [given.as_abi_tuple() for given in self.statements]
        by = {"from": self._book.anybody} | sender
        return self._book.registry.postMany(rows, self.sign(attesters), by)


class Posted:
    """A statement over any lines, with what proves them."""

    def __init__(self, base: Statement, lines: Sequence[Line], **changes: Any) -> None:
        self.tree = usage_tree(base.facility_id, base.epoch, lines)
        last = lines[-1]
        totals = {
            "usage_root": self.tree.root,
            "line_count": len(lines),
            "billed_gpu_seconds": last.cumulative_gpu_seconds,
            "gross_revenue_micros": last.cumulative_charge_micros,
        }
        self.lines = lines
        self.statement = replace(base, **(totals | changes))
        self.abi = self.statement.as_abi_tuple()
        self.hash = statement_hash(self.statement)

    def proven(self, place: int) -> tuple[Any, ...]:
        """`ProvenLine` of the line at a place in the sequence."""
        return (abi_line(self.statement, self.lines[place]), self.tree.proof(place))


def epochs_with_lines(book: RegistryWorld, count: int) -> list[ClosedEpoch]:
    """Honest epochs that all have lines."""
    for seed in range(1_000):
        closed = book.closed(seed)[:count]
        if all(c.lines for c in closed):
            return closed
    raise AssertionError


def overstated(closed: ClosedEpoch, previous: Bytes32 | None = None, *, extra: int = 1) -> Posted:
    """A statement that claims more revenue than its lines carry."""
    changes: dict[str, Any] = {
        "gross_revenue_micros": closed.lines[-1].cumulative_charge_micros + extra
    }
    if previous is not None:
        changes["previous_statement_hash"] = previous
    return Posted(closed.statement, closed.lines, **changes)


def abi_line(statement: Statement, line: Line) -> tuple[Any, ...]:
    """A line of a statement as `IStatementRegistry.Line`."""
    return line.as_abi_tuple(statement.facility_id, statement.epoch)


def renumbered(lines: Sequence[Line]) -> list[Line]:
    """The same lines with indices and prefix sums that follow."""
    seconds = micros = 0
    found = []
    for i, line in enumerate(lines):
        seconds += line.gpu_seconds
        micros += line.charge_micros
        sums = {"cumulative_gpu_seconds": seconds, "cumulative_charge_micros": micros}
        found.append(replace(line, index=i, **sums))
    return found


def wait_until(instant_s: int) -> None:
    """Mine a block at or after an instant."""
    left_s = instant_s - chain[-1].timestamp
    if left_s > 0:
        chain.sleep(left_s)
        chain.mine()


def empty_statement(terms: FacilityTerms, epoch: int, previous: Bytes32 = ZERO32) -> Statement:
    """The statement of an idle epoch."""
    return _empty(terms, terms.period(Epoch(epoch)), previous)


def closing_statement(terms: FacilityTerms, previous: Bytes32) -> Statement:
    """The closing statement of a facility that delivers, without lines."""
    period = terms.closing_period(ended_at_s=None, grace_s=0)
    assert period is not None
    return _empty(terms, period, previous)


def _empty(terms: FacilityTerms, period: Period, previous: Bytes32) -> Statement:
    return Statement(
        facility_id=terms.facility_id,
        epoch=period.epoch,
        epoch_start_s=period.start_s,
        epoch_end_s=period.end_s,
        available_gpu_seconds=GpuSeconds(0) if period.closing else terms.capacity_gpu_seconds(),
        available_adjustment=GpuSeconds(0),
        billed_gpu_seconds=GpuSeconds(0),
        gross_revenue_micros=Micros(0),
        line_count=0,
        usage_root=MerkleTree([]).root,
        evidence_hash=sha256(b"evidence"),
        previous_statement_hash=previous,
        top_renter_bps=0,
        committed_bps=0,
    )
