"""What goes wrong in the demo, on purpose: a false statement, and an operator that leaves."""

from rich.console import Console

from api.chain import calldata
from api.chain.signer import LocalSigner
from api.cli.output import micros
from api.domain.hashing import sha256
from api.domain.metering.usage import LineKind
from api.domain.statements.lines import Line, usage_tree
from api.domain.statements.statement import Statement, statement_digest
from api.domain.units import ZERO32, Epoch, GpuSeconds, Micros
from scripts.demo.market import Market, operator_of
from scripts.demo.simulate import DAY_S, HOUR_S
from scripts.demo.sources import Facility
from scripts.dev.stack import ATTESTER_ACCOUNTS, RENTER, THRESHOLD, Stack, wallet

# From the last day of its metering to the closing of a facility whose operator left: patience of
# a week, a cure and the time for last statements of an epoch and a day each, a day for serving.
CLOSING_DAYS = 14


class Trouble:
    """Does what a dishonest or lazy party would do, and what anybody can do about it."""

    def __init__(self, stack: Stack, market: Market, console: Console) -> None:
        self._stack, self._market, self._console = stack, market, console
        self._anybody = str(wallet(RENTER).address)

    def false_statement(self, facility: Facility, *, start_s: int) -> None:
        """Two attesters sign two hours of revenue for one; a proof of that voids the statement."""
        seconds = GpuSeconds(HOUR_S)
        line = Line(
            index=0,
            kind=LineKind.USAGE,
            subject=ZERO32,
            lease=ZERO32,
            start_s=start_s,
            end_s=start_s + HOUR_S,
            gpu_seconds=seconds,
            charge_micros=Micros(1_000_000),
            cumulative_gpu_seconds=seconds,
            cumulative_charge_micros=Micros(1_000_000),
        )
        tree = usage_tree(facility.facility_id, Epoch(0), [line])
        false = Statement(
            facility_id=facility.facility_id,
            epoch=Epoch(0),
            epoch_start_s=start_s,
            epoch_end_s=start_s + DAY_S,
            available_gpu_seconds=seconds,
            available_adjustment=GpuSeconds(0),
            billed_gpu_seconds=seconds,
            # Twice what its only line charges.
            gross_revenue_micros=Micros(2_000_000),
            line_count=1,
            usage_root=tree.root,
            evidence_hash=sha256(b"no evidence at all"),
            previous_statement_hash=ZERO32,
            top_renter_bps=10_000,
            committed_bps=0,
        )
        deployment = self._stack.deployment
        registry = deployment.statement_registry
        digest = statement_digest(false, chain_id=deployment.chain_id, registry=registry)
        signers = [LocalSigner(wallet(i).key.hex()) for i in ATTESTER_ACCOUNTS[:THRESHOLD]]
        signatures = {signer.address: signer.sign_digest(digest) for signer in signers}
        self._stack.send(self._anybody, registry, calldata.post(false, signatures))
        proof = calldata.challenge_line(false, line, tree.proof(0))
        self._stack.send(self._anybody, registry, proof)
        self._say(
            f"{facility.name}: {THRESHOLD} attesters signed a false statement; anybody proved the"
            " fault from one line, and it is void"
        )
        self._refill([signer.address for signer in signers])

    def _refill(self, attesters: list[str]) -> None:
        """Attesters that were slashed sign again once their bonds are the least ones again."""
        registry = self._stack.contracts.attester_registry
        minimum = self._stack.now(registry.minimum_bond_micros())
        for attester in attesters:
            missing = minimum - self._stack.now(registry.bond_micros(attester))
            self._market.fill(attester, registry.address, missing)
            self._market.call(attester, "AttesterRegistry", "depositBond", attester, missing)
            self._say(f"attester {attester}: lost {micros(missing)} of its bond, deposited it anew")

    def publish(self, facility: Facility, epoch: Epoch) -> None:
        """Attesters are silent, so the operator publishes the hash of its evidence itself."""
        path = f"/v1/facilities/{facility.facility_id}"

        def is_closed() -> bool:
            return bool(self._stack.get(path)["epochs_closed"] > epoch)

        self._stack.wait(f"the evidence of epoch {epoch}", is_closed)
        evidence = bytes.fromhex(self._stack.get(f"{path}/epochs/{epoch}")["evidence_hash"][2:])
        operator, facility_id = operator_of(facility), facility.facility_id
        self._market.call(operator, "StatementRegistry", "publish", facility_id, epoch, evidence)
        self._say(f"{facility.name}: no attester states epoch {epoch}, its operator published it")

    def default(self, facility: Facility, *, epoch: Epoch, epoch_end_s: int) -> None:
        """Nobody states an epoch: notice after the patience, default after the cure, closing."""
        facility_id, registry = facility.facility_id, self._stack.contracts.facility_registry
        terms = self._stack.now(registry.terms_of(facility_id))
        cure_s = terms.epoch_length_s + DAY_S
        noticed_s = epoch_end_s + terms.patience_seconds
        for at_s, step in ((noticed_s, "noticeDefault"), (noticed_s + cure_s, "declareDefault")):
            self._stack.chain.set_time(at_s)
            self._market.call(self._anybody, "FacilityRegistry", step, facility_id, epoch)
        self._say(
            f"{facility.name}: its operator left and nobody states epoch {epoch}: notice after"
            f" {terms.patience_seconds // DAY_S} days, default after {cure_s // DAY_S} more"
        )
        lockbox = self._stack.contracts.rent_lockbox
        self._stack.chain.set_time(self._stack.now(lockbox.closable_from_s(facility_id)))
        self.await_closing(facility)

    def await_closing(self, facility: Facility) -> None:
        """The worker closes an ended facility by itself; tell what that gave to whom."""

        path = f"/v1/facilities/{facility.facility_id}"

        def is_closed() -> bool:
            ending = self._stack.get(path)["ending"]
            return ending is not None and ending["closing"] is not None

        self._stack.wait(f"the closing of {facility.name}", is_closed)
        shared = self._stack.get(path)["ending"]["closing"]
        units, vouchers = sum(shared["to_units_micros"]), sum(shared["to_vouchers_micros"])
        self._say(
            f"{facility.name}: closed, {shared['missing_gpu_seconds'] // HOUR_S:,} promised"
            f" GPU-hours missing; of bond {micros(shared['bond_micros'])} and unearned proceeds"
            f" {micros(shared['escrow_micros'])}, units got {micros(units)}, vouchers"
            f" {micros(vouchers)}, operator {micros(shared['to_operator_micros'])}"
        )

    def _say(self, sentence: str) -> None:
        self._console.print(sentence, highlight=False)
