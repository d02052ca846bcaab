"""The HTTP application: makes what its routes work with, and puts them together."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from importlib.metadata import version

from fastapi import FastAPI
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from api.access.keys import KeyUses
from api.chain.client import ChainClient, chain_clock
from api.chain.contracts import Contracts
from api.chain.deployment import Deployment, load_deployment
from api.chain.kept_calls import KeptClient
from api.chain.kept_head import KeptHead
from api.chain.providers import Expected, Identity
from api.clock import BoundedClock, Clock, running, system_clock
from api.db.chain_store import last_block
from api.db.index_store import index_state_row
from api.db.migrate import database_problems, upgrade
from api.db.partitions import Partitions
from api.db.session import open_engine, reading
from api.epochs.behind import note_published
from api.epochs.books import PreviewBooks
from api.epochs.times import Times
from api.errors import AppError, ChainUnavailable, DatabaseUnavailable
from api.evidence_store import EvidenceFolder
from api.ledger.kept import KeptLedgers
from api.local.log_keys import LogKeyFiles
from api.reads.kept_reconciliation import KeptReconciliation
from api.reads.settings import FactReader
from api.routes.admin import accounts
from api.routes.admin import keys as admin_keys
from api.routes.attester import attestations, pledges
from api.routes.attester import refusals as handed_refusals
from api.routes.attester import replacements as attester_replacements
from api.routes.http import limited, observed, openapi, problems, transport, web
from api.routes.http.limits import IngestGate, PreviewGate
from api.routes.http.shares import ClientGate
from api.routes.operator import (
    escrow,
    events,
    facilities,
    hardware,
    keys,
    leases,
    log_keys,
    lost_entries,
    reopening,
    replacements,
)
from api.routes.operator.console import (
    bills,
    bond,
    epochs,
    files,
    log,
    metering,
    names,
    offer,
    overview,
    previews,
    queue,
    rent,
)
from api.routes.operator.console import leases as console_leases
from api.routes.public import (
    attesters,
    cash_flows,
    config,
    documents,
    evidence,
    history,
    holders,
    lines,
    logs,
    portfolio,
    probes,
    reconciliation,
    refusals,
    series,
    session,
    statements,
    status,
    tranche,
    tranches,
    waterfall,
)
from api.routes.public import facilities as public_facilities
from api.routes.public.demo_accounts import load_demo_accounts
from api.routes.service import Service, attach_service, service_of
from api.settings import ClockSource, Settings
from api.telemetry.checked import Checked

_ABOUT = """
Rentroll turns metered GPU rental into revenue that anybody can check.

* **Operators** register facilities and leases and push metering (`POST /v1/events`).
* **Attesters** approve pledges, recompute every statement and sign what they reproduce.
* **Auditors** and investors read statements, lines with proofs, cash flows and the
  reconciliation of metered, rated, attested, collected and claimed. No key is needed.

Who sends an API key may do what its scopes say; each route that wants a key names its scope. A
session may do what its operator may.

Times are UTC seconds (`*_s`), money is micros: millionths of the settlement token (`*_micros`).
Errors are RFC 9457 problems with a stable `code`.
Public answers carry an `ETag` for `If-None-Match` and come compressed to who accepts gzip, but for
evidence and CSV, which travel as they are. Whatever answers GET answers HEAD.
"""


_PUBLIC = (
    *(config, status, probes, session),
    *(public_facilities, statements, lines, reconciliation, cash_flows, evidence, attesters),
    *(logs, refusals, tranches, tranche, series, holders, waterfall, documents),
    *(portfolio, history),
)
_CONSOLE = (
    *(overview, offer, metering, log, previews),
    *(console_leases, names, files, epochs, rent, bills, bond, queue),
)
_ROUTES = (
    *(accounts, admin_keys),
    *(facilities, leases, events, log_keys, lost_entries, hardware, reopening, keys, replacements),
    *(escrow,),
    *_CONSOLE,
    *(attestations, pledges, attester_replacements, handed_refusals),
    *_PUBLIC,
)


# Somebody waits for an answer: a node that stalls is not waited for long, and not by many.
REQUEST_DEADLINE_S = 3.0
REQUESTS_AT_ONCE = 16


def recording_clock(
    settings: Settings,
    client: ChainClient,
    *,
    indexed: Callable[[], int | None] = lambda: None,
    wall: Clock = system_clock,
) -> Clock:
    """Clock by which what comes in is recorded: this machine's within the chain's, by setting."""
    if settings.clock is ClockSource.CHAIN:
        return chain_clock(client)

    def newest() -> tuple[int, int] | None:
        try:
            block = client.head(attempts=1)
        except AppError:
            return None
        return block.number, block.time_s

    return BoundedClock(newest, indexed=indexed, wall=wall)


def indexed_time(engine: Engine) -> Callable[[], int | None]:
    """Asks for the time of the newest indexed block; None where nothing is indexed."""

    def newest() -> int | None:
        with suppress(SQLAlchemyError, DatabaseUnavailable), reading(engine) as connection:
            block = last_block(connection)
            return None if block is None else block.time_s
        return None

    return newest


def closing_times(settings: Settings, client: ChainClient, *, wall: Clock = system_clock) -> Times:
    """Times by which epochs are closed: no cut-off is past before a final block and this machine
    say so; by setting the chain's time alone."""
    return Times(
        client,
        wall=None if settings.clock is ClockSource.CHAIN else wall,
        confirmations=settings.confirmations,
        apart_s=settings.clocks_apart_s,
    )


def expected_chain(engine: Engine, deployment: Deployment | None) -> Expected:
    """Of which chain a provider must be: the deployment's, and the one that was indexed."""

    def expected() -> Identity | None:
        if deployment is None:
            return None
        with suppress(SQLAlchemyError, DatabaseUnavailable), reading(engine) as connection:
            state = index_state_row(connection)
            if state is not None and state.anchor_number is not None and state.anchor_hash:
                return Identity(state.chain_id, (state.anchor_number, state.anchor_hash))
        return Identity(deployment.chain_id)

    return expected


def make_service(settings: Settings) -> Service:
    """What the routes work with, by the settings; connects to nothing yet."""
    deployment = load_deployment(settings.deployment_file)
    engine = open_engine(settings.database_url)
    client = KeptClient(
        settings.rpc_urls,
        expected=expected_chain(engine, deployment),
        deadline_s=REQUEST_DEADLINE_S,
        at_once=REQUESTS_AT_ONCE,
    )
    contracts = None if deployment is None else Contracts(client, deployment)
    return Service(
        settings=settings,
        engine=engine,
        key_uses=KeyUses(engine),
        client=client,
        newest=KeptHead(client),
        contracts=contracts,
        facts=FactReader(contracts),
        evidence=EvidenceFolder(settings.evidence_dir),
        demo_accounts=load_demo_accounts(settings.demo_accounts_file),
        clients=ClientGate(settings),
        gate=IngestGate(settings),
        preview_gate=PreviewGate(),
        preview_books=PreviewBooks(),
        kept=KeptLedgers(),
        reconciliation=KeptReconciliation(),
        clock=recording_clock(settings, client, indexed=indexed_time(engine)),
        # People live by the wall clock, whatever time a simulated chain has.
        session_clock=system_clock,
        log_keys=LogKeyFiles(settings.log_key_path),
        readiness=Checked(lambda: database_problems(engine)),
    )


def _make_partitions(service: Service) -> None:
    """Make the partitions of the months ahead, by the time at which the first entry is recorded."""
    with suppress(ChainUnavailable):  # whose clock is a chain's has the worker to make them
        Partitions(service.engine).make_ahead(service.clock())


def create_app(settings: Settings | None = None) -> FastAPI:
    """The application on its settings; migrates the database at start."""
    settings = settings or Settings()
    service = make_service(settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        upgrade(service.engine)
        # Before anything new is written behind a log that lost what was published of it.
        note_published(service.engine, service.evidence)
        with running(service_of(app).clock), service_of(app).readiness.running():
            _make_partitions(service_of(app))
            yield
        service.key_uses.close()
        service.engine.dispose()
        service.client.close()

    app = FastAPI(
        title="Rentroll",
        version=version("rentroll"),
        description=_ABOUT,
        lifespan=lifespan,
        openapi_tags=openapi.TAGS,
        generate_unique_id_function=openapi.operation_id,
        # FastAPI's own pages load scripts from elsewhere; /docs is a page of ours.
        docs_url=None,
        # Spans alone, where a collector is set: numbers are for Prometheus, and what exceptions say
        # stays in our own log.
        telemetry={"logs": False, "metrics": False, "auto_configure": False},
        redoc_url=None,
    )
    attach_service(app, service)
    pages = web.WebPages(settings.web_dir, settings.public_rpc_url or settings.rpc_urls[0])
    problems.install(app, pages)
    for part in _ROUTES:
        app.include_router(part.router)
    openapi.install(app)
    transport.install(app)
    limited.install(app, settings)
    web.install(app, settings.web_dir)
    observed.install(app, access_log=settings.access_log)
    return app
