"""Wiring of the processes that are not the HTTP application: worker, attester, one-off commands."""

import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from api.chain.calldata import checksum
from api.chain.client import ChainClient
from api.chain.contracts import Contracts
from api.chain.deployment import Deployment, load_deployment
from api.chain.published import DEPLOYMENT_FILE, published_deployment
from api.cli.relayer import noted_relayer
from api.db.chain_store import funded
from api.db.index_store import IndexState
from api.db.migrate import migrated
from api.db.session import Engine, reading
from api.domain.capital.orders import DeliveryOrder, order_digest, order_text
from api.domain.units import Bytes32, FacilityId, TrancheId
from api.epochs.close import Closed, close_due, due_periods
from api.epochs.closing import Pace
from api.epochs.index import Indexer, state_of
from api.epochs.outbox import Policy
from api.epochs.worker import Worker
from api.errors import Misconfigured
from api.evidence_store import EvidenceFolder
from api.keys.keystore import raw_key
from api.main import closing_times, expected_chain, recording_clock
from api.settings import Settings

_DAY_S = 86_400


def require_deployment(settings: Settings) -> Deployment:
    """Deployment of the settings. Raises Misconfigured saying what to do."""
    deployment = load_deployment(settings.deployment_file)
    if deployment is None:
        raise Misconfigured(
            f"no deployment at {settings.deployment_file}: deploy the contracts first"
            " (`tools/brownie run deploy --network rentroll`) or set RENTROLL_DEPLOYMENT_FILE"
        )
    return deployment


@dataclass(frozen=True, slots=True)
class RunningWorker:
    """A wired worker.

    relayer: address of the key that sends; None: it is a dry run.
    """

    worker: Worker
    engine: Engine
    client: ChainClient
    relayer: str | None


@contextmanager
def open_worker(
    settings: Settings,
    stop: threading.Event | None = None,
    *,
    index: bool = True,
    log: Callable[[Exception], None] = lambda _error: None,
) -> Iterator[RunningWorker]:
    """Worker of the settings, on a migrated database; its connections end with it.

    Args:    stop, index, log: as in `Worker`.
    """
    stop = stop or threading.Event()
    with migrated(settings.database_url) as engine:
        deployment = require_deployment(settings)
        expected = expected_chain(engine, deployment)
        with (
            noted_relayer(settings, engine) as signer,
            ChainClient(settings.rpc_urls, expected=expected, stop=stop) as client,
        ):
            worker = Worker(
                engine,
                Contracts(client, deployment),
                EvidenceFolder(settings.evidence_dir),
                signer,
                closing_times(settings, client),
                confirmations=settings.confirmations,
                pace=Pace(at_once=settings.close_at_once, ask_above=settings.close_ask_above),
                stop=stop,
                index=index,
                policy=sending_policy(settings),
                log=log,
            )
            relayer = None if signer is None else signer.address
            yield RunningWorker(worker, engine, client, relayer)


@dataclass(frozen=True, slots=True)
class RunningIndexer:
    """A wired indexer."""

    indexer: Indexer
    contracts: Contracts
    engine: Engine

    evidence: EvidenceFolder

    def state(self) -> IndexState | None:
        """How the index stands."""
        return state_of(self.engine)

    def publish(self) -> None:
        """Publish where the contracts are."""
        self.evidence.replace(DEPLOYMENT_FILE, published_deployment(self.contracts))


@contextmanager
def open_indexer(settings: Settings, stop: threading.Event) -> Iterator[RunningIndexer]:
    """Indexer of the settings, on a migrated database."""
    with migrated(settings.database_url) as engine:
        deployment = require_deployment(settings)
        expected = expected_chain(engine, deployment)
        with ChainClient(settings.rpc_urls, expected=expected, stop=stop) as client:
            contracts = Contracts(client, deployment)
            confirmations = settings.confirmations
            indexer = Indexer(engine, contracts, confirmations=confirmations, stop=stop)
            evidence = EvidenceFolder(settings.evidence_dir)
            yield RunningIndexer(indexer, contracts, engine, evidence)


def sending_policy(settings: Settings) -> Policy:
    """Limits of what the relayer sends."""
    return Policy(
        max_fee_gwei=settings.max_fee_gwei,
        fee_times_market=settings.fee_times_market,
        gas_of_facility_a_day=settings.gas_of_facility_a_day,
        replace_after=settings.replace_after_blocks,
        settle_least_micros=settings.settle_least_micros,
        settle_longest_wait_s=settings.settle_longest_wait_s,
    )


def close_now(
    settings: Settings,
    facility_id: FacilityId | None,
    *,
    on_progress: Callable[[int, int], None],
) -> list[Closed]:
    """Close what is due; `on_progress(done, total)` after each epoch.

    Raises:  ChainUnavailable, ClocksDiffer: a cut-off is past only by the chain and this machine.
    """
    with migrated(settings.database_url) as engine:
        with ChainClient(settings.rpc_urls) as client:
            clocks = closing_times(settings, client).look().clocks
        clocks.require_agreement(apart_s=settings.clocks_apart_s)
        now_s = clocks.past_s
        with reading(engine) as connection:
            among = funded(connection)
        total = len(due_periods(engine, now_s, facility_id, among=among))
        done = count(1)
        return close_due(
            engine,
            EvidenceFolder(settings.evidence_dir),
            now_s,
            facility_id=facility_id,
            among=among,
            on_closed=lambda _closed: on_progress(next(done), total),
        )


def sign_order(
    settings: Settings,
    key_file: Path,
    holder: str,
    token_id: int,
    units: int,
    lease: bytes,
    *,
    days: int,
) -> str:
    """A delivery order, signed with an operator's key, as the text that its holder pastes.

    Raises:  KeyFileWrong, Misconfigured.
    """
    signer = raw_key(key_file)
    deployment = require_deployment(settings)
    with ChainClient(settings.rpc_urls) as client:
        now_s = recording_clock(settings, client)()
    order = DeliveryOrder(
        holder=checksum(holder),
        id=TrancheId(token_id),
        units=units,
        lease=Bytes32(lease),
        # Whatever was signed before, on whichever machine: two alike do not happen.
        nonce=secrets.randbits(256),
        deadline_s=now_s + days * _DAY_S,
    )
    desk, chain_id = deployment.delivery_desk, deployment.chain_id
    return order_text(order, signer.sign_digest(order_digest(order, chain_id=chain_id, desk=desk)))
