"""Kubernetes' objects, as far as they say who holds a device: pods, claims, slices of resources.

Sources: Kubernetes API reference, Pod v1 and resource.k8s.io/v1 ResourceClaim and ResourceSlice,
v1.34; names of attributes from NVIDIA's DRA driver for GPUs, read 2026-11-30.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from api.domain.json_text import as_list, as_object, as_text
from api.domain.metering.instants import parse_instant
from api.errors import InvalidInput

_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_DEVICE = re.compile(rf"(?<![\w-])(?:GPU|MIG)-{_UUID}(?![\w-])", re.ASCII)
_DEAD = frozenset({"Succeeded", "Failed"})


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod that is on a node, or was. end_s: when its last container ended, if all have."""

    uid: str
    namespace: str
    name: str
    labels: Mapping[str, str]
    start_s: int | None
    dead: bool
    end_s: int | None
    gpus: int
    annotated: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim: devices `(driver, pool, device)` that are allocated to it, and pods that hold it."""

    uid: str
    namespace: str
    name: str
    devices: tuple[tuple[str, str, str], ...]
    pods: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Slice:
    """Devices that a driver published, by `(driver, pool, device)`: their UUIDs."""

    generation: int
    names: Mapping[tuple[str, str, str], str]


def pod_reader(
    *, label_names: frozenset[str], annotations: Iterable[str], resources: tuple[str, ...]
) -> Callable[[Mapping[str, object]], Pod]:
    """What is kept of a pod: no more than billing asks for."""
    kept_annotations = tuple(annotations)

    def read(item: Mapping[str, object]) -> Pod:
        about, spec = as_object(item["metadata"]), as_object(item.get("spec") or {})
        status = as_object(item.get("status") or {})
        labels = as_object(about.get("labels") or {})
        annotations = as_object(about.get("annotations") or {})
        text = " ".join(str(annotations.get(name, "")) for name in kept_annotations)
        dead = status.get("phase") in _DEAD
        return Pod(
            uid=as_text(about["uid"]),
            namespace=as_text(about["namespace"]),
            name=as_text(about["name"]),
            labels={n: str(v) for n, v in labels.items() if n in label_names},
            start_s=_time(status.get("startTime")),
            dead=dead,
            end_s=_end_s(status),
            gpus=_wanted(spec, resources),
            annotated=tuple(dict.fromkeys(_DEVICE.findall(text))),
        )

    return read


def read_claim(item: Mapping[str, object]) -> Claim:
    """What is kept of a claim."""
    about, status = as_object(item["metadata"]), as_object(item.get("status") or {})
    allocation = as_object(status.get("allocation") or {})
    results = as_list(as_object(allocation.get("devices") or {}).get("results") or [])
    devices = []
    for result in map(as_object, results):
        # Access for monitoring takes the device from nobody.
        if not result.get("adminAccess"):
            named = (result["driver"], result["pool"], result["device"])
            devices.append((as_text(named[0]), as_text(named[1]), as_text(named[2])))
    pods = [
        as_text(each["uid"])
        for each in map(as_object, as_list(status.get("reservedFor") or []))
        if each.get("resource") == "pods"
    ]
    uid, namespace, name = (as_text(about[key]) for key in ("uid", "namespace", "name"))
    return Claim(uid, namespace, name, tuple(devices), tuple(pods))


def read_slice(item: Mapping[str, object]) -> Slice:
    """What is kept of a slice of resources."""
    spec = as_object(item["spec"])
    driver, pool = as_text(spec["driver"]), as_object(spec["pool"])
    names = {}
    for device in map(as_object, as_list(spec.get("devices") or [])):
        # Before version v1beta2 attributes stood under `basic`.
        inner = as_object(device.get("basic") or device)
        attributes = as_object(inner.get("attributes") or {})
        for key in ("uuid", f"{driver}/uuid"):
            uuid = as_object(attributes.get(key) or {}).get("string")
            if isinstance(uuid, str):
                names[driver, as_text(pool["name"]), as_text(device["name"])] = uuid
    generation = pool.get("generation")
    return Slice(generation if isinstance(generation, int) else 0, names)


def _end_s(status: Mapping[str, object]) -> int | None:
    """When the last container ended; None while one may run, or where nobody says."""
    ends = []
    for key in ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses"):
        for each in map(as_object, as_list(status.get(key) or [])):
            state = as_object(each.get("state") or {})
            if "running" in state:
                return None
            ended_s = _time(as_object(state.get("terminated") or {}).get("finishedAt"))
            if ended_s is not None:
                ends.append(ended_s)
            elif status.get("phase") not in _DEAD:
                return None
    return max(ends, default=None)


def _wanted(spec: Mapping[str, object], resources: tuple[str, ...]) -> int:
    """Devices that a pod asks for by a device plugin."""
    count = 0
    for container in map(as_object, as_list(spec.get("containers") or [])):
        limits = as_object(as_object(container.get("resources") or {}).get("limits") or {})
        for name, amount in limits.items():
            if name.startswith(resources) and str(amount).isdigit():
                count += int(str(amount))
    return count


def _time(value: object) -> int | None:
    if not isinstance(value, str):
        return None
    try:
        return parse_instant(value, field="time")
    except InvalidInput as error:
        raise ValueError(error.message) from error
