"""What is stated and published of a facility of a random history: rules of the state machine."""

from itertools import combinations

from hypothesis import strategies as st
from hypothesis.stateful import rule

from api.domain.statements.statement import statement_hash
from tests.contracts.conftest import EPOCHS
from tests.contracts.endings import SECONDS, Endings

GROSS = st.integers(0, 40_000_000)
AVAILABLE = st.sampled_from([20_000, 36_000, 35_639, 0])
# What was available of earlier epochs beyond what was stated, as far as that fits.
ADJUSTED = st.sampled_from([0, -15_000, 9_000])
# Revenue of the closing statement.
DIFFERENCE = st.sampled_from([-9_000_001, 4_000_000, 0])
PAIR = st.sampled_from(list(combinations(range(3), 2)))


class Stating(Endings):
    """Statements of epochs, the closing statement and evidence; each allowed or refused."""

    @rule(
        gross=GROSS,
        available=AVAILABLE,
        adjusted=ADJUSTED,
        signers=PAIR,
        part=st.integers(0, 2),
    )
    def post_next(self, gross, available, adjusted, signers, part):
        """Two of three attesters post the next epoch; all, half or none of it is paid."""
        epoch = len(self.model.gross)
        if epoch == EPOCHS:
            return
        adjustment = self.model.adjustable(adjusted, stated=available)
        statement = self.world.statement(
            epoch, gross, available_gpu_seconds=available, available_adjustment=adjustment
        )
        if not self.post(statement, signers):
            return
        self.model.post(gross, available + adjustment, self.now_s)
        self.counts["post", "adjusted"] += adjustment != 0
        self.counts["post", "ended"] += self.model.state.ended
        if part and gross // part:
            self.pay(min(gross // part, self.model.rent_limit()))

    @rule(difference=DIFFERENCE, adjusted=ADJUSTED, signers=PAIR)
    def post_closing(self, difference, adjusted, signers):
        """Behind the last epoch, once the seal is over, what came late: up or down."""
        period = self.model.next_period()
        if period is None or not period.closing:
            return
        adjustment = self.model.adjustable(adjusted, stated=0)
        ended_at_s = self.model.ended_s if self.model.state.ended else None
        statement = self.world.closing_statement(
            difference, ended_at_s=ended_at_s, available_adjustment=adjustment
        )
        assert (statement.epoch, statement.epoch_end_s) == (period.epoch, period.end_s)
        if self.post(statement, signers):
            self.model.post_closing(difference, adjustment, self.now_s)
            self.counts["closing", self.model.state.word] += 1

    def post(self, statement, signers) -> bool:
        """Post the next statement if the model allows it; whether it does."""
        self.begin(1, statement.epoch_end_s)
        allowed = self.model.postable(self.now_s) and (not self.stopped or not self.running())
        signed = self.world.sign(statement, [self.world.attesters[s] for s in signers])
        call = (self.world.statements.post, statement.as_abi_tuple(), signed)
        errors = "FacilityNotDelivering|EnforcedPause"
        if self.attempt(allowed, errors, self.world.cleo, *call):
            self.world.previous = statement_hash(statement)
        return allowed

    @rule(seconds=SECONDS, epochs=st.integers(1, EPOCHS))
    def publish(self, seconds, epochs):
        """The gpuOperator publishes epochs that are over, whatever is paused."""
        self.begin(seconds)
        for _ in range(epochs):
            epoch, publish = self.model.first_open, self.world.statements.publish
            if epoch == EPOCHS:
                return
            self.begin(1, self.model.terms.epoch_bounds(epoch)[1])
            allowed = self.model.publishable(self.now_s)
            call = (publish, 7, epoch, b"\x44" * 32)
            if self.attempt(allowed, "FacilityNotDelivering", self.world.operator, *call):
                self.model.published = epoch + 1
                self.counts["publish"] += 1
