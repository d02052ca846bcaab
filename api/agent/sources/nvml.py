"""NVIDIA's driver on this machine, by NVML: which devices are there, and evidence of each.

Source: NVML API Reference Guide, R580, read 2026-11-30.
"""

import ctypes
import importlib
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import TypeVar

from api.agent.failures import SourceFailed
from api.agent.settings import NvmlSettings
from api.agent.sightings import Look, Reading
from api.agent.sources.dcgm_text import number
from api.agent.spool import Problem
from api.domain.devices import check_device
from api.errors import DeviceNameRefused

KIND = "nvml"
_PPM_OF_PERCENT = 10_000
_T = TypeVar("_T")
# `NVIDIA H100 80GB HBM3 MIG 1g.10gb`
_PROFILE = re.compile(r"\bMIG (\S+)$")


@dataclass(frozen=True, slots=True)
class SeenDevice:
    """A card, or a slice with its card, profile and GPU instance."""

    name: str
    card: str
    instance: str
    profile: str
    model: str


class NvmlSource:
    """Asks the driver. It is loaded at the first look, and anew after it failed."""

    def __init__(self, settings: NvmlSettings) -> None:
        self._settings = settings
        self._nvml: ModuleType | None = None
        self._events: object = None
        self._registered: set[str] = set()
        # UUID of the card in each place, for when the driver no longer says it.
        self._cards: dict[int, str] = {}
        self._xids: dict[str, int] = {}
        self.devices: list[SeenDevice] = []

    def slice_of(self, card: str, instance: str) -> str | None:
        """Name of a slice by its card and GPU instance, as of the last look."""
        fits = (d.name for d in self.devices if (d.card, d.instance) == (card, instance))
        return next(fits, None)

    def read(self, now_s: int) -> tuple[Look, Look]:
        """Devices that are there, and those that the driver says are lost. Raises SourceFailed."""
        nvml = self._loaded()
        found: list[SeenDevice] = []
        readings: dict[str, Reading] = {}
        lost: dict[str, Reading] = {}
        problems: list[Problem] = []
        gone = (nvml.NVML_ERROR_GPU_IS_LOST, nvml.NVML_ERROR_RESET_REQUIRED)
        try:
            count = nvml.nvmlDeviceGetCount()
            self._drain_events(nvml)
            for place in range(count):
                try:
                    self._look_at(nvml, place, found, readings)
                except nvml.NVMLError as error:
                    card = self._cards.get(place)
                    if error.value in gone and card is not None:
                        lost[card] = Reading()
                    subject = card or f"place {place}"
                    problems.append(Problem("device_fails", subject, str(error)))
        except nvml.NVMLError as error:
            self.close()
            raise SourceFailed(f"NVML: {error}") from error
        self.devices = found
        for name in list(readings):
            try:
                check_device(name)
            except DeviceNameRefused as error:
                del readings[name]
                problems.append(Problem("device_name", name, error.message))
        return Look(now_s, readings, tuple(problems)), Look(now_s, lost)

    def close(self) -> None:
        """Give the driver back."""
        if self._nvml is not None:
            with suppress(self._nvml.NVMLError):
                self._nvml.nvmlShutdown()
        self._nvml, self._events, self._registered = None, None, set()

    def _loaded(self) -> ModuleType:
        if self._nvml is not None:
            return self._nvml
        try:
            if self._settings.library:
                # By its soname, the library that is loaded already is the one that is found.
                ctypes.CDLL(self._settings.library, mode=ctypes.RTLD_GLOBAL)
            pynvml = importlib.import_module("pynvml")
        except ImportError as error:
            message = "the package nvidia-ml-py is missing: install rentroll[agent]"
            raise SourceFailed(message) from error
        except OSError as error:
            raise SourceFailed(f"NVML's library cannot be loaded: {error}") from error
        try:
            pynvml.nvmlInit()
        except pynvml.NVMLError as error:
            raise SourceFailed(f"NVML: {error}") from error
        self._nvml = pynvml
        with suppress(pynvml.NVMLError):
            self._events = pynvml.nvmlEventSetCreate()
        return pynvml

    def _look_at(
        self,
        nvml: ModuleType,
        place: int,
        found: list[SeenDevice],
        readings: dict[str, Reading],
    ) -> None:
        handle = nvml.nvmlDeviceGetHandleByIndex(place)
        card = _text(nvml.nvmlDeviceGetUUID(handle))
        self._cards[place] = card
        self._register(nvml, handle, card)
        model = _text(nvml.nvmlDeviceGetName(handle))
        energy = _maybe(nvml, lambda: nvml.nvmlDeviceGetTotalEnergyConsumption(handle))
        ecc = _maybe(
            nvml,
            lambda: nvml.nvmlDeviceGetTotalEccErrors(
                handle, nvml.NVML_MEMORY_ERROR_TYPE_UNCORRECTED, nvml.NVML_VOLATILE_ECC
            ),
        )
        xid = self._xids.pop(card, None)
        energy = None if energy is None else number(str(energy))
        modes = _maybe(nvml, lambda: nvml.nvmlDeviceGetMigMode(handle))
        if modes is not None and modes[0] == nvml.NVML_DEVICE_MIG_ENABLE:
            for slot in range(nvml.nvmlDeviceGetMaxMigDeviceCount(handle)):
                at = partial(nvml.nvmlDeviceGetMigDeviceHandleByIndex, handle, slot)
                part = _maybe(nvml, at)
                if part is None:
                    continue
                name = _text(nvml.nvmlDeviceGetUUID(part))
                instance = str(nvml.nvmlDeviceGetGpuInstanceId(part))
                shown = _text(nvml.nvmlDeviceGetName(part))
                profile = _PROFILE.search(shown)
                found.append(SeenDevice(name, card, instance, profile[1] if profile else "", model))
                # The counter is the card's: what one slice of it took, nobody measures.
                readings[name] = Reading(energy_mj=energy, ecc_uncorrected=ecc, xid=xid)
            return
        rates = _maybe(nvml, lambda: nvml.nvmlDeviceGetUtilizationRates(handle))
        found.append(SeenDevice(card, card, "", "", model))
        readings[card] = Reading(
            utilisation_ppm=None if rates is None else int(rates.gpu) * _PPM_OF_PERCENT,
            energy_mj=energy,
            ecc_uncorrected=ecc,
            xid=xid,
        )

    def _register(self, nvml: ModuleType, handle: object, card: str) -> None:
        if self._events is None or card in self._registered:
            return
        self._registered.add(card)
        with suppress(nvml.NVMLError):
            nvml.nvmlDeviceRegisterEvents(handle, nvml.nvmlEventTypeXidCriticalError, self._events)

    def _drain_events(self, nvml: ModuleType) -> None:
        """Note the newest XID of each card since the last look."""
        if self._events is None:
            return
        # More than this between two looks is a storm; the rest waits for the next.
        for _ in range(1_000):
            try:
                event = nvml.nvmlEventSetWait_v2(self._events, 0)
            except nvml.NVMLError:
                return
            with suppress(nvml.NVMLError):
                card = _text(nvml.nvmlDeviceGetUUID(event.device))
                self._xids[card] = int(event.eventData)


def _maybe(nvml: ModuleType, ask: Callable[[], _T]) -> _T | None:
    """What the driver says, or None where this device cannot. A lost device still raises."""
    try:
        return ask()
    except nvml.NVMLError as error:
        if error.value in (nvml.NVML_ERROR_GPU_IS_LOST, nvml.NVML_ERROR_RESET_REQUIRED):
            raise
        return None


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
