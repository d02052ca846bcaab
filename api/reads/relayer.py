"""Why nothing can be sent to the chain, for everybody: a kind and a sentence of ours, no more.

What was noted may name files, addresses of signers, or what these said; it is for who runs the
service, by `rentroll intents list`.
"""

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from api.db.outbox import NO_KEY, relayer_problems
from api.db.session import Connection
from api.db.tables.outbox import RelayerRow


class RelayerProblem(StrEnum):
    """What keeps the relayer from sending."""

    KEY = "key"
    SIGNER = "signer"
    NO_FUNDS = "no_funds"
    FEE_CAP = "fee_cap"


SENTENCES = MappingProxyType(
    {
        RelayerProblem.KEY: "the relayer's key cannot be opened",
        RelayerProblem.SIGNER: "the signer that holds the relayer's key does not sign",
        RelayerProblem.NO_FUNDS: "the relayer has not enough of the chain's coin for gas",
        RelayerProblem.FEE_CAP: "nodes want more for gas than the relayer may offer",
    }
)


@dataclass(frozen=True, slots=True)
class StoppedRelayer:
    """That nothing is sent, and since when."""

    problem: RelayerProblem
    since_s: int

    @property
    def sentence(self) -> str:
        """In words."""
        return SENTENCES[self.problem]


def stopped_relayer(connection: Connection) -> StoppedRelayer | None:
    """The newest problem of a key that sends; None if nothing is known to be in the way."""
    found = [StoppedRelayer(_kind(r), r.problem_since_s or 0) for r in relayer_problems(connection)]
    return max(found, key=lambda each: each.since_s, default=None)


def _kind(row: RelayerRow) -> RelayerProblem:
    said = row.problem or ""
    if row.sender == NO_KEY:
        return RelayerProblem.KEY
    if "funds" in said:
        return RelayerProblem.NO_FUNDS
    return RelayerProblem.FEE_CAP if said.startswith("nodes want") else RelayerProblem.SIGNER
