"""Every setting of the service, read once from the environment, `.env` or defaults."""

from enum import StrEnum
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class ClockSource(StrEnum):
    """Where `now` comes from: this machine, or the newest block (demo and simulations)."""

    SYSTEM = "system"
    CHAIN = "chain"


class Settings(BaseSettings):
    """Settings; each is the environment variable of its name with the prefix `RENTROLL_`.

    `DATABASE_URL` alone has no prefix, as hosting platforms set it.
    """

    model_config = SettingsConfigDict(
        env_prefix="RENTROLL_", env_file=".env", extra="ignore", populate_by_name=True
    )

    database_url: str = Field(
        default="sqlite:///var/rentroll.db",
        validation_alias="DATABASE_URL",
        description="SQLAlchemy URL: sqlite:///FILE or postgresql+psycopg://…",
    )
    rpc_url: str = Field(
        default="http://127.0.0.1:8545",
        description="JSON-RPC of the chain; several providers in the order of preference, with"
        " commas between them.",
    )
    public_rpc_url: str | None = Field(
        default=None, description="JSON-RPC that browsers are told; default is rpc_url."
    )
    explorer_url: str | None = Field(default=None, description="Block explorer for links.")
    demo_accounts_file: Path | None = Field(
        default=None, description="JSON list of demo accounts: role, address, name, note."
    )
    deployment_file: Path = Field(
        default=Path("var/deployment.json"), description="Contract addresses, from deployment."
    )
    evidence_dir: Path = Field(default=Path("var/evidence"), description="Evidence root.")
    web_dir: Path = Field(
        default=Path("build/web"), description="Built web application; none = the API alone."
    )
    clock: ClockSource = Field(default=ClockSource.SYSTEM, description="system or chain.")
    clocks_apart_s: int = Field(
        default=600,
        ge=1,
        description="Seconds that this machine's clock and the newest block may differ: beyond"
        " that no epoch is closed.",
    )
    close_at_once: int = Field(
        default=8, ge=1, description="Epochs of one facility that the worker closes in a round."
    )
    close_ask_above: int = Field(
        default=60,
        ge=1,
        description="More due epochs of one facility than this are closed only if this machine's"
        " own time went on as far as the chain's, or after `rentroll queue release`.",
    )
    grace_s: int = Field(default=3_600, ge=0, description="Seconds an epoch stays open after end.")
    confirmations: int | None = Field(
        default=None,
        ge=0,
        description="Blocks behind the head that count as final; nearer ones are read by hash."
        " None = what the node calls finalized, and 12 blocks where it calls nothing so.",
    )
    log_key_file: Path | None = Field(
        default=None,
        description="Ed25519 key (PEM) that signs receipts of facilities' logs; made by `rentroll"
        " serve` where there is none, and never to be lost: default is log-key.pem beside"
        " evidence_dir.",
    )
    relayer_key_file: Path | None = Field(
        default=None,
        description="Key that posts and settles, readable by its owner alone: hex, or with"
        " relayer_password_file a keystore. No key in any way = dry run.",
    )
    relayer_password_file: Path | None = Field(
        default=None, description="Password of the keystore in relayer_key_file."
    )
    relayer_signer_url: str | None = Field(
        default=None,
        description="Web3Signer, or what speaks like it, that holds the key of relayer_address.",
    )
    relayer_address: str | None = Field(
        default=None, description="Address of the relayer's key at relayer_signer_url."
    )
    relayer_signer_ca_file: Path | None = Field(
        default=None, description="Who signs the certificate of relayer_signer_url (PEM)."
    )
    relayer_signer_client_file: Path | None = Field(
        default=None, description="Certificate and key by which that signer knows us (PEM)."
    )
    relayer_kms_key_id: str | None = Field(
        default=None, description="Relayer's key in AWS KMS: ECC_SECG_P256K1. Needs boto3."
    )
    relayer_kms_region: str = Field(default="", description="Its region; empty: AWS's settings.")
    relayer_kms_endpoint: str = Field(default="", description="KMS elsewhere than at AWS.")
    max_fee_gwei: int = Field(
        default=1_000, ge=1, description="Most that the relayer offers for a gas, tip included."
    )
    fee_times_market: int = Field(
        default=10,
        ge=1,
        description="A transaction that is stuck is offered at most so many times what gas costs.",
    )
    gas_of_facility_a_day: int = Field(
        default=30_000_000,
        ge=1_000_000,
        description="Gas that transactions of one facility may use in 24 hours; more must wait.",
    )
    replace_after_blocks: int = Field(
        default=6,
        ge=1,
        description="Blocks that a transaction waits before it is offered at a higher fee.",
    )
    settle_least_micros: int = Field(
        default=1_000_000,
        ge=0,
        description="Settlements below this wait for more; the last one and a closing take all.",
    )
    settle_longest_wait_s: int = Field(
        default=7 * 86_400, ge=0, description="Seconds that such a settlement waits at most."
    )
    admin_key: SecretStr | None = Field(
        default=None, description="Bearer key for registering operators; none = route is closed."
    )
    api_url: str = Field(
        default="http://127.0.0.1:8000", description="Where commands find the API."
    )
    public_url: str | None = Field(
        default=None,
        description="Where browsers reach the service, such as https://rentroll.example: what"
        " wallets sign in to. None = the request's own host, on this machine only.",
    )
    host: str = Field(default="127.0.0.1", description="Address that `rentroll serve` binds.")
    port: int = Field(default=8_000, ge=0, le=65_535, description="Port; 0 picks a free one.")
    body_timeout_s: float = Field(
        default=10.0, gt=0, description="Seconds in which a request's head, then its body, comes."
    )
    ingest_requests_per_s: float = Field(
        default=200.0, gt=0, description="Requests of one operator to POST /v1/events a second."
    )
    ingest_events_per_s: float = Field(
        default=20_000.0, ge=1_000, description="Events of one operator a second."
    )
    ingest_burst_s: float = Field(
        default=10.0, ge=1, description="Seconds of either that may come at once after a pause."
    )
    ingest_buffer_bytes: int = Field(
        default=32 * 1024 * 1024,
        ge=5 * 1024 * 1024,
        description="Bytes of bodies of POST /v1/events in memory at once.",
    )
    ingest_batches_at_once: int = Field(
        default=8, ge=2, description="Bodies that are read and recorded at once; half for one."
    )
    trusted_proxies: str = Field(
        default="",
        description="Addresses and networks of proxies in front, with commas between them: theirs"
        " alone is the X-Forwarded-For that is believed.",
    )
    client_reads_per_s: float = Field(
        default=100.0,
        gt=0,
        description="Reads a second of one client without a key: an address, of IPv6 a /64.",
    )
    key_reads_per_s: float = Field(
        default=1_000.0, gt=0, description="Reads a second of one API key."
    )
    client_burst_s: float = Field(
        default=20.0, ge=1, description="Seconds of either that may come at once after a pause."
    )
    client_at_once: int = Field(
        default=12, ge=1, description="Requests of one client at work at once; others wait."
    )
    public_read_s: float = Field(
        default=5.0, gt=0, description="Seconds that a read of anybody keeps the database at work."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="What of the log is written: this level and above."
    )
    access_log: bool = Field(default=False, description="A line of the log for each request.")
    otlp_url: str | None = Field(
        default=None,
        description="OpenTelemetry collector (OTLP over HTTP) that gets traces, such as"
        " http://127.0.0.1:4318; needs rentroll[otel]. None = no traces.",
    )
    monitor_host: str = Field(
        default="127.0.0.1", description="Address of /livez, /readyz and /metrics of a process."
    )
    monitor_port: int = Field(
        default=0,
        ge=0,
        le=65_535,
        description="Their port, one for each process; 0 = none. The API answers /livez and"
        " /readyz on its own port too.",
    )
    monitor_stale_s: float = Field(
        default=600.0, gt=0, description="Seconds without a round after which a worker is stuck."
    )
    poll_s: float = Field(default=1.0, gt=0, description="Pause between rounds of the worker.")

    @property
    def rpc_urls(self) -> list[str]:
        """Providers of the chain in the order of preference."""
        return [url.strip() for url in self.rpc_url.split(",") if url.strip()]

    @property
    def log_key_path(self) -> Path:
        """Where the key of the logs is."""
        return self.log_key_file or self.evidence_dir.parent / "log-key.pem"
