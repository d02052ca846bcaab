"""Bench of one large epoch: closing it step by step, attesting it, verifying it."""

import time
from functools import partial
from pathlib import Path
from typing import Any

from api.attester.client import HttpAttesterApi
from api.attester.settings import read_settings
from api.attester.wiring import open_attester
from api.chain import calldata
from api.chain.client import ChainClient
from api.cli import wiring as cli_wiring
from api.cli.collecting import rarely_collecting
from api.db.session import open_engine
from api.domain.statements import closing
from api.domain.statements.recompute import Recomputation
from api.domain.units import FacilityId, tranche_id
from api.epochs import close
from api.epochs.books import KeptBooks
from api.epochs.index import Indexer
from api.evidence_store import EvidenceFolder
from api.verify.verify import verify
from scripts.bench.load import DAY_S, Load
from scripts.bench.stage import (
    ATTESTER,
    HELD_UNITS,
    HOLDER,
    OPERATOR,
    RELAYER,
    Service,
    Stage,
    address,
    in_child,
    peak_rss_mb,
    timed,
)
from scripts.dev.attester_file import write_attester_file
from scripts.dev.pledges import approve_pledge
from scripts.dev.stack import wallet

_ENCODERS = (
    "encode_facility",
    "encode_lines",
    "encode_told",
    "encode_credits",
    "encode_manifest",
    "sha256",
)
_GRACE_S = 3_600
_ROUNDS = 100


def offer(stage: Stage, facility: dict[str, Any], *, units: int = HELD_UNITS) -> None:
    """Offer, mint, approve and fund the facility on-chain: then its statements can be posted."""
    stage.send(OPERATOR, facility["offer"]["to"], facility["offer"]["data"])
    facility_id = facility["facility_id"]
    token_id = tranche_id(FacilityId(facility_id), 0)
    # No bond is asked for, but its terms are part of every offer.
    terms = calldata.call("BondVault", "setTerms", facility_id, (0, 1_000_000))
    stage.send(OPERATOR, stage.deployment.bond_vault, terms)
    mint = calldata.call("TrancheToken", "mint", address(HOLDER), token_id, units)
    stage.send(OPERATOR, stage.deployment.tranche_token, mint)
    approve_pledge(
        stage.contracts, FacilityId(facility_id), [ATTESTER], partial(stage.send, HOLDER)
    )
    fund = calldata.call("FacilityRegistry", "fund", facility_id)
    stage.send(OPERATOR, stage.deployment.facility_registry, fund)


def _with_peak(figures: dict[str, float]) -> dict[str, float]:
    peak = peak_rss_mb()
    return figures if peak is None else {**figures, "peak_rss_mb": peak}


def _close(
    database_url: str, evidence: Path, facility_id: FacilityId, now_s: int
) -> dict[str, float]:
    spent: dict[str, float] = {}
    rarely_collecting()
    engine = open_engine(database_url)
    _, period = close.due_periods(engine, now_s, facility_id)[0]
    with timed(closing, ("usage_tree", *_ENCODERS), spent):
        closed = close.close_one(
            engine, EvidenceFolder(evidence), facility_id, period, now_s, books=KeptBooks()
        )
    if closed is None:
        raise RuntimeError("the epoch was not closed")
    timings = closed.timings
    encode_s = sum(spent[name] for name in _ENCODERS)
    return _with_peak(
        {
            "lines": float(closed.statement.line_count),
            "read_s": timings.read_s,
            "rate_s": timings.compute_s - spent["usage_tree"] - encode_s,
            "tree_s": spent["usage_tree"],
            "encode_s": encode_s,
            "evidence_s": timings.evidence_s,
            "store_s": timings.store_s,
            "total_s": timings.read_s + timings.compute_s + timings.evidence_s + timings.store_s,
        }
    )


def _attest(settings: Path) -> dict[str, float]:
    spent: dict[str, float] = {}
    rarely_collecting()
    with (
        open_attester(read_settings(settings)) as running,
        timed(HttpAttesterApi, ("log", "submit"), spent),
        timed(Recomputation, ("read", "close"), spent),
    ):
        started = time.perf_counter()
        verdicts = running.attester.run_once()
        total_s = time.perf_counter() - started
    refused = [v.reason for v in verdicts if not v.signed]
    if refused or not verdicts:
        raise RuntimeError(f"the attester refused: {refused}")
    return _with_peak(
        {
            "fetch_s": spent["log"],
            "recompute_s": spent["read"] + spent["close"],
            "compare_s": total_s - sum(spent.values()),
            "sign_s": spent["submit"],
            "total_s": total_s,
        }
    )


def _verify(rpc_url: str, evidence: Path) -> dict[str, float]:
    rarely_collecting()
    started = time.perf_counter()
    with ChainClient(rpc_url) as client:
        report = verify(client, EvidenceFolder(evidence))
    total_s = time.perf_counter() - started
    if not report.ok or report.statements != 1:
        raise RuntimeError(f"not verified: {[f.sentence() for f in report.findings]}")
    return _with_peak({"total_s": total_s})


def cut_off_s(load: Load) -> int:
    """First second at which the first epoch can be closed."""
    return load.start_s + DAY_S + _GRACE_S


def measure_close(
    stage: Stage, service: Service, load: Load, facility_id: FacilityId
) -> dict[str, float]:
    """Close the first epoch in a process of its own."""
    folder = stage.folder / "evidence"
    figures = in_child(_close, service.database_url, folder, facility_id, cut_off_s(load))
    return {"events": float(load.events), **figures}


def index(stage: Stage, service: Service) -> None:
    """Let the service hear of the offer: attesters are shown what is offered alone.

    What was mined so far is looked at a second time too: no step that is measured does it.
    """
    engine = open_engine(service.database_url)
    try:
        indexer = Indexer(engine, stage.contracts)
        indexer.advance()
        indexer.look_again()
    finally:
        engine.dispose()


def measure_attest(stage: Stage, service: Service) -> dict[str, float]:
    """One attester fetches, recomputes, compares and signs the epoch over HTTP."""
    named = {"label": "bench", "attester": wallet(ATTESTER).address}
    key = service.post("/v1/attester-keys", named)["api_key"]
    return in_child(
        _attest,
        write_attester_file(
            stage.folder,
            "attester",
            key_file=_key_file(stage, "attester", ATTESTER),
            api_key=key,
            url=service.url,
            rpc_url=stage.chain.rpc_url,
            registry=stage.deployment.statement_registry,
        ),
    )


def post(stage: Stage, service: Service, facility_id: FacilityId) -> None:
    """Let a worker post the attested statement."""
    key_file = _key_file(stage, "relayer", RELAYER)
    settings = stage.settings(service.database_url, relayer_key_file=key_file)
    contracts = stage.contracts
    posted = contracts.statement_registry.epochs_posted(FacilityId(facility_id))
    with cli_wiring.open_worker(settings) as running:
        for _ in range(_ROUNDS):
            running.worker.run_once()
            if posted.at(block=contracts.client.head().number):
                return
            time.sleep(0.1)
    raise RuntimeError("the statement was not posted")


def measure_verify(stage: Stage) -> dict[str, float]:
    """`rentroll verify` of chain and evidence, in a process of its own."""
    return in_child(_verify, stage.chain.rpc_url, stage.folder / "evidence")


def _key_file(stage: Stage, name: str, index: int) -> Path:
    path = stage.folder / f"{name}.key"
    path.touch(mode=0o600)
    path.write_text(wallet(index).key.hex())
    return path
