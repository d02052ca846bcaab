"""Names of devices: one canonical name a card or slice, and how many slices a card can have.

What vendors print, and where that was read, stands in docs/GLOSSARY.md. The web application's
deviceList.ts has the same forms; both are held against tests/vectors/devices.json.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from api.errors import DeviceNameRefused, InvalidInput

_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
# amd-smi: a byte of the serial, partition (ff: the whole card), model, constants, the serial.
_AMD_UUID = r"([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{4})-0000-1000-80([0-9a-f]{2})-([0-9a-f]{12})"
# accelerator_id of Cloud TPU's metrics: number of the machine, and of the chip in it.
_TPU_ID = r"([1-9][0-9]{14,19})-(?:0|[1-9][0-9]{0,2})"
# hl-smi: table version, model, fab; then lot, wafer and place on the wafer.
_GAUDI_UUID = r"[0-9A-Z]{4}-HL[0-9]{4}[A-Z][0-9]-[0-9]{2}-([0-9A-Z]{6})((?:-[0-9]{2}){3})"
_FORMS = {
    "GPU": re.compile(_UUID, re.ASCII),
    "MIG": re.compile(_UUID, re.ASCII),
    "AMD": re.compile(_AMD_UUID, re.ASCII),
    "TPU": re.compile(_TPU_ID, re.ASCII),
    "GAUDI": re.compile(_GAUDI_UUID, re.ASCII),
}
SLICE = "MIG"
_WHOLE = "ff"
# Other spellings that are met, to say what to write instead.
_SPELT = re.compile(rf"((?:gpu-|mig-|amd-)*)({_UUID})((?:/[0-9]*)*)", re.ASCII)
# A random name has fewer different digits less than once in 10^7, a UUID once in 10^12.
_FEWEST_DIGITS = {"GPU": 6, "MIG": 6, "AMD": 4, "TPU": 4, "GAUDI": 3}
_RUNS = ("0123456789abcdef0", "1234567890123456789")

# Profiles of GPU instances: MIG User Guide of NVIDIA, "Supported MIG Profiles", read 2026-11-30.
_PROFILE = re.compile(r"([12347])g\.([1-9][0-9]{0,2})gb(\+me|\+me\.all|\+gfx|-me)?", re.ASCII)
_COMPUTE_INSTANCE = re.compile(r"[1-7]c\.([1-7]g\..*)", re.ASCII)
_COMPUTE_SLICES = 7
# Media engines: a card of any size has one such slice.
_ONE_A_CARD = frozenset({"+me", "+me.all"})
_AMD_MODE = re.compile(r"([SDTQC]PX)\b.*", re.ASCII)
_MEMORY = re.compile(r"([0-9]{1,4})GB", re.ASCII)


@dataclass(frozen=True, slots=True)
class DeviceName:
    """A device as an operator registers it: a whole card is its own card and has no profile."""

    device: str
    card: str
    profile: str | None = None


@lru_cache(maxsize=65_536)
def check_device(name: str) -> str:
    """The canonical name of a card or slice, unchanged.

    Raises:  DeviceNameRefused, saying which form to use.
    """
    kind, _, rest = name.partition("-")
    form = _FORMS.get(kind)
    found = form.fullmatch(rest) if form else None
    if form is None or found is None or _wrong_vendor(rest, kind=kind):
        message = f"{name[:100]!r} is not the name of a device: {advice(name)}"
        raise DeviceNameRefused(message, field="devices")
    if _is_placeholder(found, kind=kind):
        message = f"{name} is a placeholder: name the device as its driver prints it"
        raise DeviceNameRefused(message, field="devices")
    return name


def check_device_name(named: DeviceName) -> DeviceName:
    """A device with its card, unchanged. Raises InvalidInput, saying which form to use."""
    check_device(named.device)
    if named.profile is None and named.device == named.card:
        if not is_slice(named.device):
            return named
        message = (
            f"{named.device} is a slice: name it with its card and profile,"
            f' {{"device": "{named.device}", "card": "GPU-…", "profile": "1g.10gb"}}'
        )
        raise DeviceNameRefused(message, field="devices")
    check_device(named.card)
    if named.device.startswith("AMD-") or named.card.startswith("AMD-"):
        message = f"partitions of AMD cards are not pledged: pledge the whole card {named.card}"
        raise InvalidInput(message, field="devices")
    if not is_slice(named.device) or not named.card.startswith("GPU-"):
        message = f"{named.device} is no slice of {named.card}: a slice is MIG-…, its card GPU-…"
        raise DeviceNameRefused(message, field="devices")
    if _part(named.device) == _part(named.card):
        message = f"{named.device} has the UUID of its card: a slice has one of its own"
        raise DeviceNameRefused(message, field="devices")
    check_profile(named.profile or "")
    return named


def check_devices(named: Sequence[DeviceName], *, gpu_class: str) -> str | None:
    """Refuse devices that one facility cannot pledge together; returns the profile of slices.

    Raises:  InvalidInput with `context["field"]`, `devices` or `gpu_class`.
    """
    profiles = {check_device_name(device).profile for device in named}
    if len(profiles) > 1:
        shown = ", ".join(sorted(p or "whole cards" for p in profiles)[:3])
        message = f"a facility pledges whole cards, or slices of one profile, not {shown}"
        raise InvalidInput(message, field="devices")
    profile = next(iter(profiles), None)
    pairs = [(device.device, device.card) for device in named]
    check_parts(pairs, profile=profile, gpu_class=gpu_class)
    names = {name for pair in pairs for name in pair}
    double = next(
        (name for name in sorted(names) if name != twin(name) and twin(name) in names), None
    )
    if double is not None:
        message = f"{double} and {twin(double)} have one UUID: a slice has one of its own"
        raise DeviceNameRefused(message, field="devices")
    return profile


def is_slice(name: str) -> bool:
    """Whether a canonical name is that of a slice."""
    return name.startswith(f"{SLICE}-")


def twin(name: str) -> str:
    """The name that a slice would have by its card's UUID, and the other way round.

    No driver gives one UUID to both: whoever names both names one thing twice.
    """
    kind = {"GPU": SLICE, SLICE: "GPU"}.get(name.partition("-")[0])
    return name if kind is None else f"{kind}-{_part(name)}"


def check_profile(profile: str) -> str:
    """A profile of slices, unchanged. Raises InvalidInput, saying which form to use."""
    if _PROFILE.fullmatch(profile):
        return profile
    shown = f"{profile[:40]!r} is not a profile of slices"
    instance, mode = _COMPUTE_INSTANCE.fullmatch(profile), _AMD_MODE.fullmatch(profile.upper())
    if instance:
        message = f"compute instances share a slice: pledge the whole slice, {instance[1][:20]}"
        raise InvalidInput(f"{shown}: {message}", field="devices")
    if mode:
        message = f"{mode[1]} is a partition of AMD, which are not pledged: pledge whole cards"
        raise InvalidInput(f"{shown}: {message}", field="devices")
    message = "write it as nvidia-smi does, such as 1g.10gb, 3g.40gb or 1g.10gb+me"
    raise InvalidInput(f"{shown}: {message}", field="devices")


def most_slices(profile: str, *, gpu_class: str) -> int:
    """Most slices of a profile that one card has.

    By its compute slices, seven a card, and by its memory if the class names it: a profile's
    gigabytes are rounded up, so that one less is the least that a slice takes.

    Args:    gpu_class: of the facility, such as `A30-24GB/1g.6gb`.
    """
    found = _PROFILE.fullmatch(check_profile(profile))
    assert found is not None
    if found[3] in _ONE_A_CARD:
        return 1
    most = _COMPUTE_SLICES // int(found[1])
    memory = _MEMORY.findall(gpu_class.partition("/")[0].upper())
    if memory:
        most = min(most, int(memory[-1]) // max(1, int(found[2]) - 1))
    return most


def check_parts(devices: Sequence[tuple[str, str]], *, profile: str | None, gpu_class: str) -> None:
    """Refuse devices of one facility if one part of a card would be in two of them.

    Args:    devices: `(device, card)` each, by names or by their hashes.
             profile: of the slices; None for whole cards.
    Raises:  InvalidInput with `context["field"]`, `devices` or `gpu_class`.
    """
    given = Counter(device for device, _ in devices)
    twice = next((device for device, count in given.items() if count > 1), None)
    if twice is not None:
        raise InvalidInput(f"device {twice} is named twice", field="devices")
    base, _, last = gpu_class.rpartition("/")
    if profile is None:
        if _PROFILE.fullmatch(last):
            message = f"gpu_class {gpu_class!r} is of slices {last}, and whole cards are pledged"
            raise InvalidInput(message, field="gpu_class")
        return
    check_profile(profile)
    if not base or last != profile:
        example = f"{gpu_class.partition('/')[0][:20]}/{profile}"
        message = f"the GPU class of slices ends with their profile, such as {example}"
        raise InvalidInput(f"gpu_class: {message}", field="gpu_class")
    most = most_slices(profile, gpu_class=gpu_class)
    for card, count in Counter(card for _, card in devices).items():
        if card in given:
            raise InvalidInput(f"card {card} and a slice of it are both named", field="devices")
        if count > most:
            message = f"card {card} has {count} slices {profile}, of which it has {most} at most"
            raise InvalidInput(message, field="devices")


def advice(name: str) -> str:
    """Which form to use in place of a name that is refused."""
    text = name.strip().strip("{}\"',;").lower()
    found = _SPELT.fullmatch(text)
    if found:
        return _advice_on_uuid(found[2], prefixes=found[1], indexed=bool(found[3]))
    if re.fullmatch(r"(gpu-|amd-)?(0x)?[0-9a-f]{16}", text):
        return "write AMD-<uuid>, the UUID that `amd-smi list` prints"
    gaudi = re.search(_GAUDI_UUID, text.upper())
    if gaudi:
        return f"write GAUDI-{gaudi[0]}"
    tpu = re.search(_TPU_ID, text)
    if tpu or re.search(r"accel|vfio|tpu", text):
        form = f"TPU-{tpu[0]}" if tpu else "TPU-<machine>-<chip>"
        return f"write {form}, the accelerator_id of its metrics"
    return (
        "write GPU-<uuid> for a card of NVIDIA, MIG-<uuid> for a slice of one, AMD-<uuid>,"
        " TPU-<machine>-<chip> or GAUDI-<uuid>, hex digits in lower case"
    )


def _advice_on_uuid(uuid: str, *, prefixes: str, indexed: bool) -> str:
    amd = re.fullmatch(_AMD_UUID, uuid)
    if amd:
        card = f"AMD-{amd[1]}{_WHOLE}{uuid[4:]}"
        part = "" if amd[2] == _WHOLE else ": partitions are not pledged, and this is their card"
        return f"write {card}{part}"
    if "mig-" in prefixes and "gpu-" in prefixes:
        own = "MIG-<uuid>, with the UUID that `nvidia-smi -L` prints for the slice"
        return f"write {own}; GPU-{uuid} is its card"
    if "mig-" in prefixes:
        return f"write MIG-{uuid}"
    if indexed:
        return f"write GPU-{uuid} for the card; a slice is MIG-<uuid>, with a UUID of its own"
    if "gpu-" in prefixes:
        return f"write GPU-{uuid}"
    return f"write GPU-{uuid} for a card, MIG-{uuid} for a slice"


def _part(name: str) -> str:
    return name.partition("-")[2]


def _wrong_vendor(rest: str, *, kind: str) -> bool:
    """Whether a UUID is of AMD under another's prefix, or is that of a part of a card of AMD."""
    amd = _FORMS["AMD"].fullmatch(rest)
    return amd is not None and (kind != "AMD" or amd[2] != _WHOLE)


def _is_placeholder(found: re.Match[str], *, kind: str) -> bool:
    """Whether the digits that tell a device from others were typed, or could not be read."""
    if kind == "AMD":
        groups = [found[1] + found[4] + found[5]]
        if found[3] in ("0000", "ffff"):
            return True
    elif kind == "TPU":
        groups = [found[1]]
    elif kind == "GAUDI":
        groups = [found[1] + found[2].replace("-", "")]
    else:
        groups = found[0].split("-")
        if set("".join(groups[:4])) == {"0"}:
            return True
    few = len(set("".join(groups))) < _FEWEST_DIGITS[kind]
    return few or all(len(set(g)) == 1 or any(g in run for run in _RUNS) for g in groups)
