"""Settings of an attester: one TOML file, read once and strictly."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from api.chain.calldata import checksum
from api.domain.units import Address
from api.keys.kms import KmsSettings
from api.keys.opening import KeySettings, KeystoreSettings, RawKeySettings
from api.keys.web3signer import Web3SignerSettings
from api.local.settings_table import SettingsTable, SettingsWrong

_MOST_PORT = 65_535
_ADDRESS = re.compile("0x[0-9a-fA-F]{40}")
_LOCAL = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """The service whose statements are judged."""

    url: str
    api_key_file: Path
    ca_file: Path | None


@dataclass(frozen=True, slots=True)
class ChainSettings:
    """Nodes, and the StatementRegistry that is trusted: all other contracts follow from it.

    rpc_urls: in the order of preference.
    confirmations: so many blocks behind the newest one nothing is taken back.
    stale_s: the newest block and this machine's clock may be so far apart.
    simulated_time: the chain's time is not that of clocks.
    """

    rpc_urls: tuple[str, ...]
    registry: Address
    confirmations: int
    stale_s: int
    simulated_time: bool


@dataclass(frozen=True, slots=True)
class RefusalSettings:
    """Where refusals are put, and served. port: 0 serves nothing.  days: so long they count.

    hand_in: the service is given them.
    gas_key: sends them to the chain; None sends nothing.  most_gas: of a day.
    """

    folder: Path
    host: str
    port: int
    days: int
    hand_in: bool
    gas_key: RawKeySettings | KeystoreSettings | None
    most_gas: int


@dataclass(frozen=True, slots=True)
class MetricsSettings:
    """Where probes and metrics are answered. port: 0 answers nowhere.

    stale_s: without a sign of life for so long, the process is stuck.
    """

    host: str
    port: int
    stale_s: int


@dataclass(frozen=True, slots=True)
class AttesterSettings:
    """All of the file. contract: account that attests, where that is a contract wallet."""

    contract: str | None
    memory: Path
    poll_s: float
    least_pay_bps: int
    service: ServiceSettings
    chain: ChainSettings
    key: KeySettings
    refusals: RefusalSettings
    metrics: MetricsSettings


def read_settings(path: Path) -> AttesterSettings:
    """Read the file. Raises SettingsWrong naming the key."""
    try:
        values = tomllib.loads(path.read_text())
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsWrong(f"{path} cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsWrong(f"{path} is no TOML: {error}") from error
    folder = path.resolve().parent
    whole = SettingsTable("", values, folder=folder)
    attester = whole.table("attester") or SettingsTable("attester", {}, folder=folder)
    settings = AttesterSettings(
        contract=_maybe_address(attester, "contract"),
        memory=attester.path("memory", "memory.jsonl"),
        poll_s=attester.number("poll_ms", 10_000, low=50, high=3_600_000) / 1_000,
        least_pay_bps=attester.number("least_pay_bps", 0, low=0, high=1_000),
        service=_service(_needed(whole, "service")),
        chain=_chain(_needed(whole, "chain")),
        key=_key(_needed(whole, "key")),
        refusals=_refusals(whole.table("refusals") or SettingsTable("refusals", {}, folder=folder)),
        metrics=_metrics(whole.table("metrics") or SettingsTable("metrics", {}, folder=folder)),
    )
    attester.end()
    whole.end()
    return settings


def _needed(whole: SettingsTable, name: str) -> SettingsTable:
    table = whole.table(name)
    if table is None:
        raise SettingsWrong(f"[{name}] is missing")
    return table


def _maybe_address(table: SettingsTable, key: str) -> Address | None:
    text = table.text(key, "")
    if not text:
        return None
    if not _ADDRESS.fullmatch(text):
        raise table.wrong(key, "must be an address, 0x and 40 hex digits")
    return checksum(text)


def _address(table: SettingsTable, key: str) -> Address:
    found = _maybe_address(table, key)
    if found is None:
        raise table.wrong(key, "must be an address, 0x and 40 hex digits")
    return found


def _url(table: SettingsTable, key: str) -> str:
    text = table.text(key)
    if not text.startswith(("http://", "https://")):
        raise table.wrong(key, "must begin with http:// or https://")
    return text.rstrip("/")


def _urls(table: SettingsTable, key: str) -> tuple[str, ...]:
    """One or several, with commas between them."""
    urls = tuple(part.strip().rstrip("/") for part in table.text(key).split(",") if part.strip())
    if not urls or not all(url.startswith(("http://", "https://")) for url in urls):
        raise table.wrong(key, "must begin with http:// or https://, also behind each comma")
    return urls


def _metrics(table: SettingsTable) -> MetricsSettings:
    read = MetricsSettings(
        host=table.text("host", _LOCAL),
        port=table.number("port", 0, low=0, high=_MOST_PORT),
        stale_s=table.number("stale_s", 3_600, low=1, high=86_400),
    )
    table.end()
    return read


def _service(table: SettingsTable) -> ServiceSettings:
    read = ServiceSettings(
        url=_url(table, "url"),
        api_key_file=table.path("api_key_file", "api.key"),
        ca_file=table.maybe_path("ca_file"),
    )
    table.end()
    return read


def _chain(table: SettingsTable) -> ChainSettings:
    read = ChainSettings(
        rpc_urls=_urls(table, "rpc_url"),
        registry=_address(table, "registry"),
        confirmations=table.number("confirmations", 12, low=0, high=100_000),
        stale_s=table.number("stale_s", 600, low=1, high=86_400),
        simulated_time=table.flag("simulated_time", default=False),
    )
    table.end()
    return read


def _key(table: SettingsTable) -> KeySettings:
    kind = table.text("kind", "keystore")
    read: KeySettings
    if kind == "keystore":
        read = KeystoreSettings(
            file=table.path("file", "attester.json"),
            password_file=table.path("password_file", "attester.password"),
        )
    elif kind == "raw":
        read = RawKeySettings(table.path("file"))
    elif kind == "web3signer":
        read = Web3SignerSettings(
            url=_url(table, "url"),
            address=_address(table, "address"),
            ca_file=table.maybe_path("ca_file"),
            client_file=table.maybe_path("client_file"),
        )
    elif kind == "kms":
        read = KmsSettings(
            key_id=table.text("key_id"),
            region=table.text("region", ""),
            endpoint=table.text("endpoint", ""),
        )
    else:
        raise table.wrong("kind", 'must be "keystore", "raw", "web3signer" or "kms"')
    table.end()
    return read


def _refusals(table: SettingsTable) -> RefusalSettings:
    read = RefusalSettings(
        folder=table.path("folder", "refusals"),
        host=table.text("host", _LOCAL),
        port=table.number("port", 9_466, low=0, high=_MOST_PORT),
        days=table.number("days", 7, low=1, high=90),
        hand_in=table.flag("hand_in", default=True),
        gas_key=_gas_key(table),
        most_gas=table.number("most_gas_per_day", 2_000_000, low=0, high=1_000_000_000),
    )
    table.end()
    return read


def _gas_key(table: SettingsTable) -> RawKeySettings | KeystoreSettings | None:
    file, password = table.maybe_path("gas_key_file"), table.maybe_path("gas_password_file")
    if file is None:
        if password is not None:
            raise table.wrong("gas_password_file", "is of no gas_key_file")
        return None
    return RawKeySettings(file) if password is None else KeystoreSettings(file, password)
