"""What a DCGM exporter says of each device, whichever version it is.

Sources: DCGM exporter's README and its metrics' templates from 1.7 to 4.8, DCGM's constants for
blank values (dcgm_structs.h), read 2026-11-30.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from api.agent.sightings import Reading
from api.agent.sources.prometheus_text import Sample
from api.agent.spool import Problem
from api.domain.devices import check_device
from api.errors import DeviceNameRefused

# What we read, by the names of versions from 2.0 on and of those before.
_ENERGY = ("DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", "dcgm_total_energy_consumption")
_UTILISATION = ("DCGM_FI_DEV_GPU_UTIL", "dcgm_gpu_utilization")
_ACTIVE = ("DCGM_FI_PROF_GR_ENGINE_ACTIVE",)
_XID = ("DCGM_FI_DEV_XID_ERRORS", "dcgm_xid_errors")
_ECC = ("DCGM_FI_DEV_ECC_DBE_VOL_TOTAL", "dcgm_ecc_dbe_volatile_total")
# Values that move on a card at rest too. They tell a frozen exporter from an idle card.
_MOVING = (
    *("DCGM_FI_DEV_POWER_USAGE", "DCGM_FI_DEV_GPU_TEMP", "DCGM_FI_DEV_MEMORY_TEMP"),
    *("DCGM_FI_DEV_SM_CLOCK", "DCGM_FI_DEV_MEM_CLOCK", "DCGM_FI_DEV_FB_USED"),
    *("DCGM_FI_PROF_DRAM_ACTIVE", "DCGM_FI_PROF_PCIE_TX_BYTES", "DCGM_FI_PROF_PCIE_RX_BYTES"),
    *("dcgm_power_usage", "dcgm_gpu_temp", "dcgm_memory_temp", "dcgm_sm_clock", "dcgm_fb_used"),
)
NAMES = frozenset((*_ENERGY, *_UTILISATION, *_ACTIVE, *_XID, *_ECC, *_MOVING))
_PPM_OF_PERCENT, _PPM = 10_000, 1_000_000

# DCGM's blank, not found, not supported, not permitted: of 32 and 64 bits, and of doubles.
_BLANK_INTEGERS = frozenset(
    start + n for start in (0x7FFFFFF0, 0x7FFFFFFFFFFFFFF0) for n in range(4)
)
_BLANK_FROM, _BLANK_TO = 140_737_488_355_328, 140_737_488_355_331


@dataclass(slots=True)
class Exported:
    """A device as one scrape has it. moving: what tells whether the exporter is alive."""

    device: str
    reading: Reading
    energy_mj: int | None
    moving: tuple[str, ...]
    labels: Mapping[str, str]


@dataclass(slots=True)
class _Series:
    labels: Mapping[str, str]
    values: dict[str, str] = field(default_factory=dict)


def number(text: str) -> int | None:
    """A value as a whole number, rounded down; None for blanks and for what is no number."""
    try:
        value = int(text) if text.isascii() and text.isdigit() else int(float(text))
    except (ValueError, OverflowError):
        return None
    if value < 0 or value in _BLANK_INTEGERS or _BLANK_FROM <= value <= _BLANK_TO:
        return None
    return None if value >= min(0x7FFFFFFFFFFFFFF0, 1 << 62) else value


def share_ppm(text: str, *, of: int) -> int | None:
    """A share in parts per million, of a value from 0 to `of`; None for blanks."""
    try:
        value = float(text)
    except ValueError:
        return None
    return round(value * _PPM / of) if 0 <= value <= of else None


def read_devices(
    samples: Iterable[Sample], slice_of: Callable[[str, str], str | None]
) -> tuple[list[Exported], list[Problem]]:
    """Devices of one scrape.

    slice_of: name of a slice by its card and the number of its GPU instance, if it is known: the
    exporter names the card alone.
    """
    series: dict[tuple[str, str], _Series] = {}
    problems: dict[str, Problem] = {}
    sliced: set[str] = set()
    for sample in samples:
        labels = sample.labels
        card = labels.get("UUID") or labels.get("uuid") or ""
        if not card:
            continue
        instance = labels.get("GPU_I_ID", "")
        if instance:
            sliced.add(card)
        found = series.setdefault((card, instance), _Series(labels))
        if len(labels) > len(found.labels):
            # Some series of a device lack the labels of its job.
            found.labels = labels
        found.values[sample.name] = sample.text
    exported = []
    for (card, instance), found in series.items():
        if card in sliced and not instance:
            continue
        name = found.labels.get("dra_mig_device_uuid") if instance else card
        name = name or slice_of(card, instance)
        if name is None:
            shown = f"{card}/{instance}"
            detail = f"slice {instance} of {card} ({found.labels.get('GPU_I_PROFILE', '?')})"
            detail += ": write its name under [dcgm.slices], or let NVML see it"
            problems[shown] = Problem("slice_unknown", shown, detail)
            continue
        try:
            check_device(name)
        except DeviceNameRefused as error:
            problems[name] = Problem("device_name", name, error.message)
            continue
        # Energy is of the card: slices have no counter of their own.
        whole = series.get((card, ""), found).values if instance else found.values
        exported.append(_exported(name, found, whole))
    return exported, list(problems.values())


def _exported(name: str, found: _Series, whole: Mapping[str, str]) -> Exported:
    values = found.values
    energy = _first(values, _ENERGY) or _first(whole, _ENERGY)
    energy_mj = None if energy is None else number(energy)
    utilisation = _first(values, _UTILISATION)
    active = _first(values, _ACTIVE)
    ppm = share_ppm(utilisation, of=100) if utilisation is not None else None
    if ppm is None and active is not None:
        ppm = share_ppm(active, of=1)
    xid, ecc = _first(values, _XID), _first(values, _ECC)
    reading = Reading(
        utilisation_ppm=ppm,
        energy_mj=energy_mj,
        ecc_uncorrected=None if ecc is None else number(ecc),
        xid=None if xid is None else number(xid),
    )
    moving = tuple(
        text
        for key in _MOVING
        if (text := values.get(key, whole.get(key))) is not None and number(text) is not None
    )
    return Exported(name, reading, energy_mj, moving, found.labels)


def _first(values: Mapping[str, str], names: Iterable[str]) -> str | None:
    return next((values[name] for name in names if name in values), None)
