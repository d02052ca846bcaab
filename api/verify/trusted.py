"""Verify, before all: which contracts are checked, by what the trusted registry says of its peers.

The evidence names contracts too, in `deployment.json`. Nothing of that is believed which the chain
can say: addresses come from links that contracts store, bytecode from the node, and the block from
which logs are read from the first that has code at one of the addresses.
"""

from collections.abc import Sequence
from dataclasses import replace

from api.chain.answers import Block
from api.chain.client import ChainClient
from api.chain.contracts import Contracts
from api.chain.deployment import Deployment, code_problems, parse_deployment
from api.chain.linked import LINKS, Peer, first_code_block
from api.chain.published import DEPLOYMENT_FILE, published_deployment
from api.domain.units import ZERO_ADDRESS
from api.errors import AppError, ChainRejected, EvidenceInvalid
from api.evidence_store import HOSTILE, EvidenceSource
from api.verify.findings import shortened


def read_deployment(evidence: EvidenceSource, *, registry: str | None) -> Deployment:
    """What the evidence says of contracts; nothing of it is checked against the chain yet.

    Args:    registry: StatementRegistry that the caller trusts; else the evidence's own.
    Raises:  EvidenceInvalid, NotFound.
    """
    data = evidence.read(DEPLOYMENT_FILE)
    try:
        deployment = parse_deployment(data)
    except (AppError, *HOSTILE) as error:
        said = error.message if isinstance(error, AppError) else repr(error)
        raise _invalid([shortened(said)]) from error
    named = deployment.statement_registry
    if registry is not None and registry.lower() != named.lower():
        raise _invalid([f"the evidence is for registry {named}, not {registry}"])
    return deployment


def check_deployment(client: ChainClient, deployment: Deployment, *, head: Block) -> Contracts:
    """The contracts, each checked against what the chain says of it.

    Raises:  EvidenceInvalid naming what does not hold.
    """
    problems = code_problems(client, deployment)
    problems = problems or _link_problems(client, deployment, head.number)
    if problems:
        raise _invalid(problems)
    first = first_code_block(client, deployment, head=head.number)
    contracts = Contracts(client, replace(deployment, start_block=first))
    if published_deployment(contracts) != deployment.document:
        message = "bytes are not canonical, or the start block is not that of the first log"
        raise _invalid([message])
    return contracts


def _invalid(problems: Sequence[str]) -> EvidenceInvalid:
    return EvidenceInvalid(f"{DEPLOYMENT_FILE}: {'; '.join(problems)}", file=DEPLOYMENT_FILE)


def _link_problems(client: ChainClient, deployment: Deployment, block: int) -> list[str]:
    """Contracts of a deployment that those which the registry names do not name."""
    peers = {name: Peer(client, name, at) for name, at in deployment.addresses.items()}
    problems = []
    try:
        for holder, function, target in LINKS:
            linked = peers[holder].link(function, block=block)
            if linked.lower() != deployment.addresses[target].lower():
                problems.append(f"{target}: {holder} names {linked} as its {function}")
                # What a false contract says of others is worth nothing.
                return problems
        return _list_problems(peers, deployment, block) + _money_problems(deployment, peers, block)
    except ChainRejected as error:
        return [error.message]


def _list_problems(peers: dict[str, Peer], deployment: Deployment, block: int) -> list[str]:
    linked = peers["TrancheToken"].link("investorRegistry", block=block).lower()
    # A token without an allow-list names none: nobody asks the one that was deployed beside it.
    if linked in (ZERO_ADDRESS, deployment.investor_registry.lower()):
        return []
    return [f"InvestorRegistry: TrancheToken names {linked} as its investorRegistry"]


def _money_problems(deployment: Deployment, peers: dict[str, Peer], block: int) -> list[str]:
    token = deployment.settlement_token
    allowed = (
        Contracts(peers["FacilityRegistry"].client, deployment)
        .facility_registry.is_settlement_token(token)
        .at(block=block)
    )
    bonds = peers["AttesterRegistry"].link("bondToken", block=block).lower() == token.lower()
    if allowed or bonds:
        return []
    return [f"SettlementToken: FacilityRegistry does not allow {token}"]
