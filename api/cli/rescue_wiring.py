"""Wiring of the commands that bring a service back: settings, database, evidence."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import make_url

from api.chain.client import ChainClient
from api.chain.contracts import Contracts
from api.chain.deployment import Deployment, load_deployment
from api.chain.published import published_deployment
from api.db.migrate import database_problems
from api.db.session import Engine, opened
from api.domain.units import FacilityId
from api.errors import AppError, Misconfigured
from api.evidence_store import EvidenceFolder, EvidenceSource
from api.local.log_keys import LogKeyFiles
from api.local.secret_file import read_secret
from api.rescue.aside import Aside
from api.rescue.backup import Made, make_backup
from api.rescue.check import Found, check_evidence
from api.rescue.log_key import LogKeyCopy
from api.rescue.repair import Repaired, repair_evidence
from api.rescue.restore import Place, Restored, chosen, restore
from api.rescue.since import known_since
from api.rescue.taken import NoKeys, OnProgress
from api.rescue.takeover import Successor, TakenOver, take_over
from api.settings import Settings


def stamp() -> str:
    """Now, for names of files: `20261130T224500Z`."""
    return datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")


@contextmanager
def standing_database(settings: Settings) -> Iterator[Engine]:
    """The database of the settings, of this version. Raises Misconfigured, DatabaseUnavailable."""
    url = make_url(settings.database_url)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():
        raise Misconfigured(f"there is no database at {url.database} (DATABASE_URL)")
    with opened(settings.database_url) as engine:
        problems = database_problems(engine)
        if problems:
            raise Misconfigured(f"{problems[0]}: is DATABASE_URL right, and has `serve` run?")
        yield engine


def check_now(settings: Settings) -> list[Found]:
    """Compare the evidence with the database."""
    with standing_database(settings) as engine:
        deployment = load_deployment(settings.deployment_file)
        return check_evidence(engine, EvidenceFolder(settings.evidence_dir), deployment)


def repair_now(
    settings: Settings, *, source: EvidenceSource | None, aside: Path | None
) -> list[Repaired]:
    """Repair the evidence from the database, and from a copy."""
    folder = settings.evidence_dir
    beside = folder.with_name(f"{folder.name}.aside-{stamp()}") if aside is None else aside
    if beside.resolve().is_relative_to(folder.resolve()):
        raise Misconfigured("--aside lies inside the evidence, where everything is served")
    with standing_database(settings) as engine:
        deployment = load_deployment(settings.deployment_file)
        return repair_evidence(
            engine,
            EvidenceFolder(folder),
            deployment,
            aside=Aside(beside),
            source=source,
            document=_document(settings, deployment),
        )


def _document(settings: Settings, deployment: Deployment | None) -> bytes | None:
    """`deployment.json` as it is published; None where no node says it."""
    if deployment is None:
        return None
    try:
        with ChainClient(settings.rpc_urls) as client:
            return published_deployment(Contracts(client, deployment))
    except AppError:
        return None


def backup_now(
    settings: Settings, folder: Path, *, with_keys: bool, passphrase_file: Path | None
) -> Made:
    """Copy database, evidence and deployment file into a folder; the key of the logs if asked."""
    with standing_database(settings) as engine:
        return make_backup(
            engine,
            EvidenceFolder(settings.evidence_dir),
            folder,
            deployment=load_deployment(settings.deployment_file),
            log_key=_log_key(settings, passphrase_file, taken=with_keys),
            settings=[_variable(name) for name in settings.model_fields_set],
            made_at=stamp(),
        )


def restore_now(
    settings: Settings,
    folder: Path,
    *,
    name: str | None,
    replace: bool,
    passphrase_file: Path | None,
) -> tuple[Restored, list[str]]:
    """Restore a backup. Returns what was restored, and what happened since."""
    place = Place(
        settings.database_url,
        EvidenceFolder(settings.evidence_dir),
        settings.deployment_file,
        _log_key(settings, passphrase_file),
    )
    restored = restore(chosen(folder, name), place, replace=replace, stamp=stamp())
    return restored, since_now(settings)


def since_now(settings: Settings) -> list[str]:
    """What chain and published evidence know that the database does not."""
    evidence = EvidenceFolder(settings.evidence_dir)
    deployment = load_deployment(settings.deployment_file)
    with standing_database(settings) as engine, ChainClient(settings.rpc_urls) as client:
        contracts = None if deployment is None else Contracts(client, deployment)
        try:
            if contracts is not None:
                client.head(attempts=1)
        except AppError as error:
            said = f"no node says what happened since the backup: {error.message}"
            return [*known_since(engine, evidence, None), said]
        return known_since(engine, evidence, contracts)


def _log_key(
    settings: Settings, passphrase_file: Path | None, *, taken: bool = False
) -> LogKeyCopy:
    passphrase = None if passphrase_file is None else read_secret(passphrase_file).strip()
    if passphrase == b"":
        raise Misconfigured(f"{passphrase_file} is empty")
    return LogKeyCopy(settings.log_key_path, taken=taken, passphrase=passphrase)


def _variable(name: str) -> str:
    return "DATABASE_URL" if name == "database_url" else f"RENTROLL_{name.upper()}"


def takeover_now(
    settings: Settings,
    escrows: Sequence[Path],
    source: EvidenceSource,
    *,
    without: Collection[FacilityId],
    dry_run: bool,
    scratch: Path | None,
    on_progress: OnProgress,
) -> TakenOver:
    """Take over from chain, published evidence and escrows, into the database of the settings."""
    deployment = load_deployment(settings.deployment_file)
    if deployment is None:
        message = f"there is no deployment record at {settings.deployment_file}"
        raise Misconfigured(f"{message} (RENTROLL_DEPLOYMENT_FILE): bring that of the contracts")
    folder = settings.evidence_dir
    key_file = settings.log_key_path
    with ChainClient(settings.rpc_urls) as client:
        successor = Successor(
            settings.database_url,
            EvidenceFolder(folder),
            source,
            Contracts(client, deployment),
            LogKeyFiles(key_file) if key_file.exists() else NoKeys(),
            scratch or folder.with_name(f"{folder.name}.takeover"),
            settings.confirmations,
        )
        return take_over(
            successor, escrows, without=without, dry_run=dry_run, on_progress=on_progress
        )
