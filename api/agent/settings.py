"""Settings of the agent: one TOML file, read once and strictly."""

import socket
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from api.agent.leases import NOBODY, LeaseRow, LeaseTable
from api.domain.devices import check_device
from api.errors import DeviceNameRefused
from api.local.settings_table import SettingsTable, SettingsWrong

DAY_S = 86_400
_NAME_CHARS = 100
_MOST_PORT = 65_535
_SOURCES_OF_USE = ("", "slurm", "kubernetes", "dcgm", "csv")


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """Where events go."""

    url: str
    facility: int
    api_key_file: Path | None
    log_key: str | None
    ca_file: Path | None


@dataclass(frozen=True, slots=True)
class NvmlSettings:
    """NVIDIA's driver on this machine."""

    library: str
    poll_s: int
    outages: bool


@dataclass(frozen=True, slots=True)
class DcgmSettings:
    """One or more DCGM exporters. allocations: `none`, `pod` or `hpc_job`."""

    urls: tuple[str, ...]
    poll_s: int
    frozen_after_s: int
    allocations: str
    absent_s: int
    slices: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SlurmSettings:
    """Slurm's accounting, and what its prolog wrote of GPUs. node: only this one, if named."""

    command: tuple[str, ...]
    records: Path
    node: str
    poll_s: int
    overlap_s: int
    first_s: int
    absent_s: int


@dataclass(frozen=True, slots=True)
class KubernetesSettings:
    """The API server, and how devices of a pod are known."""

    url: str
    token_file: Path | None
    ca_file: Path | None
    node: str
    namespace: str
    annotations: tuple[str, ...]
    pod_resources: Path | None
    resources: tuple[str, ...]
    claims: bool
    watch_s: int
    poll_s: int


@dataclass(frozen=True, slots=True)
class CsvSettings:
    """A CSV file that grows, a use a row. columns: our word for a column, and its name."""

    file: Path
    separator: str
    columns: Mapping[str, str]
    poll_s: int


@dataclass(frozen=True, slots=True)
class AgentSettings:
    """Everything the file says. A source that it has no table for is None."""

    name: str
    spool: Path
    key_file: Path
    health_port: int
    confirm_every_s: int
    seen_every_s: int
    retention_s: int
    receipts_s: int
    spool_mib: int
    skew_warning_s: int
    service: ServiceSettings
    devices: Mapping[str, int | None]
    leases: LeaseTable
    nvml: NvmlSettings | None
    dcgm: DcgmSettings | None
    slurm: SlurmSettings | None
    kubernetes: KubernetesSettings | None
    csv: CsvSettings | None

    def facility_of(self, device: str) -> int | None:
        """Facility of a device, None if it is of none of ours."""
        return self.devices.get(device, self.service.facility)


def read_settings(path: Path) -> AgentSettings:
    """Read the file. Raises SettingsWrong naming the key."""
    try:
        values = tomllib.loads(path.read_text())
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsWrong(f"{path} cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsWrong(f"{path} is no TOML: {error}") from error
    whole = SettingsTable("", values, folder=path.resolve().parent)
    agent, service = whole.table("agent"), whole.table("service")
    if service is None:
        raise SettingsWrong("[service] is missing")
    agent = agent or SettingsTable("agent", {}, folder=path.resolve().parent)
    name = agent.text("name", socket.gethostname())
    if len(name) > _NAME_CHARS or not name.isprintable():
        raise agent.wrong("name", f"must be at most {_NAME_CHARS} printable characters")
    settings = AgentSettings(
        name=name,
        spool=agent.path("spool", "spool.db"),
        key_file=agent.path("key_file", "agent.key"),
        health_port=agent.number("health_port", 9465, low=0, high=_MOST_PORT),
        confirm_every_s=agent.number("confirm_every_s", 300, low=1, high=3_600),
        seen_every_s=agent.number("seen_every_s", 600, low=10, high=DAY_S),
        retention_s=agent.number("retention_days", 14, low=1, high=400) * DAY_S,
        receipts_s=agent.number("receipts_days", 366, low=1, high=4_000) * DAY_S,
        spool_mib=agent.number("spool_mib", 1_024, low=1, high=1 << 20),
        skew_warning_s=agent.number("skew_warning_s", 30, low=3, high=3_600),
        service=_service(service),
        devices=_devices(whole.table("devices")),
        leases=LeaseTable([_lease(row) for row in whole.tables("lease")]),
        nvml=_nvml(whole.table("nvml")),
        dcgm=_dcgm(whole.table("dcgm")),
        slurm=_slurm(whole.table("slurm")),
        kubernetes=_kubernetes(whole.table("kubernetes")),
        csv=_csv(whole.table("csv")),
    )
    agent.end()
    whole.end()
    return settings


def _service(table: SettingsTable) -> ServiceSettings:
    read = ServiceSettings(
        url=table.text("url"),
        facility=table.number("facility", 0, low=1, high=(1 << 63) - 1),
        api_key_file=table.maybe_path("api_key_file"),
        log_key=table.text("log_key", "") or None,
        ca_file=table.maybe_path("ca_file"),
    )
    table.end()
    return read


def _devices(table: SettingsTable | None) -> Mapping[str, int | None]:
    """Devices that are of another facility than the rest, or of none."""
    if table is None:
        return {}
    read: dict[str, int | None] = {}
    for device, facility in table.rest().items():
        try:
            check_device(device)
        except DeviceNameRefused as error:
            raise table.wrong(device, error.message) from error
        if facility == NOBODY:
            read[device] = None
        elif isinstance(facility, int) and not isinstance(facility, bool) and facility > 0:
            read[device] = facility
        else:
            raise table.wrong(device, f'must be the number of a facility, or "{NOBODY}"')
    return read


def _lease(table: SettingsTable) -> LeaseRow:
    row = LeaseRow(
        lease=table.text("id"),
        source=table.text("source", ""),
        account=table.text("account", ""),
        user=table.text("user", ""),
        partition=table.text("partition", ""),
        namespace=table.text("namespace", ""),
        labels=table.pairs("labels"),
    )
    if row.source not in _SOURCES_OF_USE:
        raise table.wrong("source", f"must be one of {', '.join(filter(None, _SOURCES_OF_USE))}")
    table.end()
    return row


def _nvml(table: SettingsTable | None) -> NvmlSettings | None:
    if table is None:
        return None
    read = NvmlSettings(
        library=table.text("library", ""),
        poll_s=table.number("poll_s", 30, low=1, high=600),
        outages=table.flag("outages", default=False),
    )
    table.end()
    return read


def _dcgm(table: SettingsTable | None) -> DcgmSettings | None:
    if table is None:
        return None
    read = DcgmSettings(
        urls=table.texts("urls", ["http://127.0.0.1:9400/metrics"]),
        poll_s=table.number("poll_s", 30, low=1, high=600),
        frozen_after_s=table.number("frozen_after_s", 180, low=10, high=3_600),
        allocations=table.text("allocations", "none"),
        absent_s=table.number("absent_s", 120, low=0, high=DAY_S),
        slices=table.pairs("slices"),
    )
    if read.allocations not in ("none", "pod", "hpc_job"):
        raise table.wrong("allocations", 'must be "none", "pod" or "hpc_job"')
    table.end()
    return read


def _slurm(table: SettingsTable | None) -> SlurmSettings | None:
    if table is None:
        return None
    read = SlurmSettings(
        command=table.texts("command", ["sacct"]),
        records=table.path("records", "/var/spool/rentroll/slurm"),
        node=table.text("node", ""),
        poll_s=table.number("poll_s", 60, low=5, high=3_600),
        overlap_s=table.number("overlap_s", 3_600, low=60, high=30 * DAY_S),
        first_s=table.number("first_hours", 24, low=0, high=24 * 400) * 3_600,
        absent_s=table.number("absent_s", 900, low=0, high=DAY_S),
    )
    table.end()
    return read


def _kubernetes(table: SettingsTable | None) -> KubernetesSettings | None:
    if table is None:
        return None
    # Where a pod finds its account. Kubernetes mounts them there.
    mounted = "/var/run/secrets/kubernetes.io/serviceaccount"
    inside = "url" not in table
    read = KubernetesSettings(
        url=table.text("url", "https://kubernetes.default.svc"),
        token_file=Path(f"{mounted}/token") if inside else table.maybe_path("token_file"),
        ca_file=Path(f"{mounted}/ca.crt") if inside else table.maybe_path("ca_file"),
        node=table.text("node", ""),
        namespace=table.text("namespace", ""),
        annotations=table.texts("annotations", []),
        pod_resources=table.maybe_path("pod_resources"),
        resources=table.texts("resources", ["nvidia.com/"]),
        claims=table.flag("claims", default=False),
        watch_s=table.number("watch_s", 300, low=1, high=3_600),
        poll_s=table.number("poll_s", 10, low=1, high=600),
    )
    table.end()
    return read


def _csv(table: SettingsTable | None) -> CsvSettings | None:
    if table is None:
        return None
    read = CsvSettings(
        file=table.path("file"),
        separator=table.text("separator", ","),
        columns=table.pairs("columns"),
        poll_s=table.number("poll_s", 60, low=1, high=3_600),
    )
    if len(read.separator) != 1:
        raise table.wrong("separator", "must be one character")
    table.end()
    return read
