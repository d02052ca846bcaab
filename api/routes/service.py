"""What the routes work with: made once, by `api.main`, and handed to every route that asks."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, FastAPI, Request
from sqlalchemy import Engine

from api.access.keys import KeyUses
from api.access.nonces import nonce_key
from api.chain.client import ChainClient
from api.chain.contracts import Contracts
from api.chain.deployment import Deployment
from api.chain.kept_head import KeptHead
from api.chain.ledger_keys import NamedNow, named_now
from api.clock import Clock
from api.domain.units import Bytes32
from api.epochs.books import PreviewBooks
from api.evidence_store import EvidenceFolder
from api.ledger.facilities import LogHome
from api.ledger.kept import KeptLedgers
from api.ledger.recorder import Log
from api.local.log_keys import LogKeyFiles
from api.reads.kept_reconciliation import KeptReconciliation
from api.reads.settings import FactReader
from api.routes.http.limits import IngestGate, PreviewGate
from api.routes.http.shares import ClientGate
from api.routes.public.demo_accounts import DemoAccount
from api.settings import Settings
from api.telemetry.checked import Checked


@dataclass(frozen=True, slots=True)
class Service:
    """Settings, database, chain and evidence of one running application.

    contracts: None while no contracts are deployed.
    clock: UTC seconds by which metering and epochs are judged; a simulation's chain may set it.
    session_clock: UTC seconds by which people sign in and keys work.
    """

    settings: Settings
    engine: Engine
    key_uses: KeyUses
    client: ChainClient
    newest: KeptHead
    contracts: Contracts | None
    facts: FactReader
    evidence: EvidenceFolder
    demo_accounts: tuple[DemoAccount, ...]
    clients: ClientGate
    gate: IngestGate
    preview_gate: PreviewGate
    preview_books: PreviewBooks
    kept: KeptLedgers
    reconciliation: KeptReconciliation
    clock: Clock
    session_clock: Clock
    log_keys: LogKeyFiles
    readiness: Checked

    @property
    def deployment(self) -> Deployment | None:
        """Addresses of the contracts; None while none are deployed."""
        return None if self.contracts is None else self.contracts.deployment

    @property
    def log_home(self) -> LogHome:
        """What the logs of its facilities have in common."""
        deployment = self.deployment
        if deployment is None:
            return LogHome()
        key = Bytes32(self.log_keys.public)
        return LogHome(deployment.chain_id, deployment.facility_registry, key)

    def named_now(self, gpu_operator: str, key: Bytes32) -> NamedNow | None:
        """Whether an operator's address names a ledger key on-chain. Raises ChainUnavailable."""
        if self.contracts is None:
            return None
        depth = self.settings.confirmations
        return named_now(self.contracts, gpu_operator, key, confirmations=depth)

    @property
    def nonce_key(self) -> bytes:
        """Key of sign-in's nonces: the same in every process that has the log's. KeyFileWrong."""
        return nonce_key(self.log_keys.key.private_bytes_raw())

    @property
    def log(self) -> Log:
        """Where signed requests are recorded."""
        return Log(self.engine, self.clock, self.kept, self.log_keys)


def attach_service(app: FastAPI, service: Service) -> None:
    """Make this the service that the application's routes are handed."""
    app.state.service = service


def service_of(app: FastAPI) -> Service:
    """The service of an application: the only place that reads `app.state`, which has no types."""
    service: object = app.state.service
    assert isinstance(service, Service), "attach_service comes first"
    return service


async def _service(request: Request) -> Service:
    # Async, so that FastAPI does not send it to a thread: it waits for nothing.
    return service_of(request.app)


ServiceDep = Annotated[Service, Depends(_service)]
