"""StatementRegistry alone, with facilities and bond vault that tests set up in one call."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import brownie
from brownie import chain
from eth_account import Account

from api.domain.facility import FacilityTerms
from api.domain.hashing import sha256
from api.domain.merkle import MerkleTree
from api.domain.statements.closing import ClosedEpoch
from api.domain.statements.lines import Line, usage_tree
from api.domain.statements.statement import Statement, statement_digest, statement_hash
from api.domain.units import ZERO32, Bytes32, Epoch
from tests.ledgers import closed_epochs, facility

WINDOW_S = 600
BOND = 10_000
OFFERED, FUNDED, CANCELLED, DEFAULTED = 1, 2, 5, 6
FACILITY_ID = 7


class RegistryWorld:
    """A registry with three attesters, two of which must sign, and one delivering facility."""

    def __init__(self, accounts: Any, *, delays: tuple[int, int] = (0, 0)) -> None:
        project = brownie.project.get_loaded_projects()[0]
        self.accounts, self.project = accounts, project
        self.owner, self.challenger, self.anybody = accounts[0], accounts[8], accounts[9]
        self.facilities = project.MockFacilityRegistry.deploy({"from": self.owner})
        self.vault = project.MockBondVault.deploy({"from": self.owner})
        self.facilities.setBondVault(self.vault, {"from": self.owner})
        self.registry = self.deploy(delays)
        self.attesters = by_address(accounts.add() for _ in range(3))
        for attester in self.attesters:
            self.admit(attester)
        self.registry.setThreshold(2, {"from": self.owner})
        self.terms = facility(window_start_s=chain[-1].timestamp + 100)
        self.set_facility(self.terms)

    def deploy(self, delays: tuple[int, int] = (0, 0)) -> Any:
        """A registry of its own authority."""
        authority = self.project.Authority.deploy(self.owner, {"from": self.owner})
        arguments = (authority, self.facilities, WINDOW_S, *delays)
        return self.project.StatementRegistry.deploy(*arguments, {"from": self.owner})

    def admit(self, attester: Any) -> None:
        """Make an account an attester with a bond."""
        self.registry.setAttester(attester, True, {"from": self.owner})
        self.vault.setBond(attester, BOND, {"from": self.owner})

    def set_facility(
        self, terms: FacilityTerms, *, state: int = FUNDED, offered_at: int = 10, **changes: Any
    ) -> None:
        """Put a facility on the register."""
        values = {
            "gpuOperator": terms.gpu_operator,
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
            "patienceSeconds": terms.patience_s,
            "longStopSeconds": terms.long_stop_s,
            "pledgeRoot": terms.pledge_tree.root,
            "termsHash": sha256(b"terms"),
        }
        row = tuple((values | changes).values())
        self.facilities.setFacility(terms.facility_id, row, state, offered_at, {"from": self.owner})

    def closed(self, seed: int = 1) -> list[ClosedEpoch]:
        """Honest epochs of the facility over a random ledger."""
        return closed_epochs(seed, self.terms)

    def sign(
        self, statement: Statement, attesters: Sequence[Any] | None = None, **domain: Any
    ) -> list[tuple[str, bytes]]:
        """Attestations in the order given."""
        place = {"chain_id": chain.id, "registry": self.registry.address} | domain
        digest = statement_digest(statement, **place)
        chosen = self.attesters[:2] if attesters is None else attesters
        return [
            (a.address, bytes(Account.unsafe_sign_hash(digest, a.private_key).signature))
            for a in chosen
        ]

    def post(self, statement: Statement, attesters: Sequence[Any] | None = None) -> Any:
        """Pass the epoch's end and post."""
        wait_until(statement.epoch_end_s)
        signed = self.sign(statement, attesters)
        return self.registry.post(statement.as_abi_tuple(), signed, {"from": self.anybody})


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


def abi_line(statement: Statement, line: Line) -> tuple[Any, ...]:
    """A line of a statement as `IStatementRegistry.Line`."""
    return line.as_abi_tuple(statement.facility_id, statement.epoch)


def proven_pledge(terms: FacilityTerms, index: int) -> tuple[Any, ...]:
    """`ProvenPledge` of a device of a facility."""
    return (index, terms.devices[index], terms.pledge_tree.proof(index))


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


def by_address(accounts: Any) -> list[Any]:
    """Accounts in ascending order."""
    return sorted(accounts, key=lambda a: int(a.address, 16))


def wait_until(instant_s: int) -> None:
    """Mine a block at or after an instant."""
    left_s = instant_s - chain[-1].timestamp
    if left_s > 0:
        chain.sleep(left_s)
        chain.mine()


def empty_statement(terms: FacilityTerms, epoch: int, previous: Bytes32 = ZERO32) -> Statement:
    """The statement of an idle epoch."""
    start_s, end_s = terms.epoch_bounds(epoch)
    return Statement(
        facility_id=terms.facility_id,
        epoch=Epoch(epoch),
        epoch_start_s=start_s,
        epoch_end_s=end_s,
        available_gpu_seconds=terms.capacity_gpu_seconds(),
        billed_gpu_seconds=0,
        gross_revenue_micros=0,
        line_count=0,
        usage_root=MerkleTree([]).root,
        evidence_hash=sha256(b"evidence"),
        previous_statement_hash=previous,
        top_renter_bps=0,
        committed_bps=0,
    )
