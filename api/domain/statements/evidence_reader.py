"""Reading evidence back: every field checked for type and length, every error naming its file."""

import re
from functools import lru_cache

from api.domain.facility import FacilityTerms, TrancheTerms
from api.domain.json_text import as_bytes32, as_integer, as_list, as_object, as_text, read_json
from api.domain.log.entry import LogEnd
from api.domain.metering.usage import LineKind
from api.domain.statements.evidence import (
    FACILITY_FILE,
    FORMAT,
    LINES_FILE,
    LINES_HEADER,
    MANIFEST_FILE,
    Follows,
    SignedShare,
)
from api.domain.statements.lines import Line
from api.domain.units import Address, Bytes32, FacilityId, GpuSeconds, Micros
from api.errors import EvidenceInvalid

_SLICE_FIELDS = {"device", "card", "profile"}
# No field is wider than 256 bits, 78 digits.
_DECIMAL = re.compile(r"0|-?[1-9][0-9]{0,77}", re.ASCII)


def _read_json(data: bytes, name: str) -> object:
    try:
        return read_json(data)
    except ValueError as error:
        raise EvidenceInvalid(f"{name} is not JSON", file=name) from error


def _read_rows(data: bytes, *, header: str, name: str) -> list[list[str]]:
    try:
        text = data.decode("ascii")
    except UnicodeDecodeError as error:
        raise EvidenceInvalid(f"{name} is not ASCII", file=name) from error
    head, *rows = text.split("\n")
    if head != header or not rows or rows.pop() != "":
        raise EvidenceInvalid(f"{name} lacks its header or final newline", file=name)
    return [row.split(",") for row in rows]


def _decimal(text: str) -> int:
    """An integer as we write it into text: no spaces, signs, zeros or digits of others.

    Raises:  ValueError.
    """
    if _DECIMAL.fullmatch(text) is None:
        raise ValueError(f"{text[:40]!r} is not an integer")
    return int(text)


def decode_facility(data: bytes) -> FacilityTerms:
    """Read `facility.json`. Raises EvidenceInvalid; never trusts the encoding to be canonical."""
    try:
        doc = as_object(_read_json(data, FACILITY_FILE))
        devices, cards, profile = _devices(as_list(doc["devices"]))
        log = as_object(doc["log"])
        return FacilityTerms(
            facility_id=FacilityId(as_integer(doc["facility_id"])),
            gpu_operator=as_text(doc["gpu_operator"]),
            settlement_token=as_text(doc["settlement_token"]),
            gpu_class=as_text(doc["gpu_class"]),
            site=as_text(doc["site"]),
            window_start_s=as_integer(doc["window_start_s"]),
            window_end_s=as_integer(doc["window_end_s"]),
            expires_at_s=as_integer(doc["expires_at_s"]),
            epoch_length_s=as_integer(doc["epoch_length_s"]),
            devices=devices,
            cards=cards,
            profile=profile,
            promised_availability_ppm=as_integer(doc["promised_availability_ppm"]),
            fee_bps=as_integer(doc["fee_bps"]),
            attester_fee_bps=as_integer(doc["attester_fee_bps"]),
            patience_s=as_integer(doc["patience_s"]),
            grace_s=as_integer(doc["grace_s"]),
            seal_s=as_integer(doc["seal_s"]),
            long_stop_s=as_integer(doc["long_stop_s"]),
            silence_available={"available": True, "unavailable": False}[as_text(doc["silence"])],
            chain_id=as_integer(log["chain_id"]),
            registry=Address(as_text(log["registry"])),
            log_key=as_bytes32(log["key"]),
            unsigned_taken={"taken": True, "refused": False}[as_text(log["unsigned"])],
            tranches=tuple(
                TrancheTerms(
                    unit_cap=as_integer(t["unit_cap"]),
                    coupon_micros_per_unit=Micros(as_integer(t["coupon_micros_per_unit"])),
                )
                for t in map(as_object, as_list(doc["tranches"]))
            ),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise EvidenceInvalid(f"{FACILITY_FILE}: {error}", file=FACILITY_FILE) from error


def _devices(
    entries: list[object],
) -> tuple[tuple[Bytes32, ...], tuple[Bytes32, ...], str | None]:
    """Devices, and of slices their cards and profile. Raises TypeError, KeyError or ValueError."""
    if not any(isinstance(entry, dict) for entry in entries):
        return tuple(as_bytes32(entry) for entry in entries), (), None
    slices = [as_object(entry) for entry in entries]
    profiles = {as_text(x["profile"]) for x in slices}
    if len(profiles) != 1 or any(x.keys() != _SLICE_FIELDS for x in slices):
        raise ValueError("slices are of one profile, and name device, card and profile alone")
    devices, cards = (tuple(as_bytes32(x[name]) for x in slices) for name in ("device", "card"))
    return devices, cards, profiles.pop()


@lru_cache(maxsize=256)
def terms_from_bytes(document: bytes) -> FacilityTerms:
    """Terms of a facility from the bytes of `facility.json` that we stored: they never change.

    Raises:  EvidenceInvalid.
    """
    return decode_facility(document)


def decode_lines(data: bytes) -> list[Line]:
    """Read `lines.csv`. Raises EvidenceInvalid naming the row."""
    lines = []
    row_number = 0
    try:
        for row in _read_rows(data, header=LINES_HEADER, name=LINES_FILE):
            index, kind, subject, lease, *numbers = row
            start, end, seconds, charge, sum_seconds, sum_charge = (_decimal(n) for n in numbers)
            lines.append(
                Line(
                    index=_decimal(index),
                    kind=LineKind(_decimal(kind)),
                    subject=as_bytes32(subject),
                    lease=as_bytes32(lease),
                    start_s=start,
                    end_s=end,
                    gpu_seconds=GpuSeconds(seconds),
                    charge_micros=Micros(charge),
                    cumulative_gpu_seconds=GpuSeconds(sum_seconds),
                    cumulative_charge_micros=Micros(sum_charge),
                )
            )
            row_number += 1
    except ValueError as error:
        where = f"{LINES_FILE} line {row_number}"
        raise EvidenceInvalid(f"{where}: {error}", file=LINES_FILE, line=row_number) from error
    return lines


def follows_of(manifest: bytes) -> Follows:
    """Where a manifest says that its statement stands. Raises EvidenceInvalid."""
    try:
        doc = as_object(_read_json(manifest, MANIFEST_FILE))
        if doc["format"] != FORMAT:
            message = f"{MANIFEST_FILE}: its format is {str(doc['format'])[:40]}, not {FORMAT}"
            raise EvidenceInvalid(message, file=MANIFEST_FILE)
        log = LogEnd(as_integer(doc["log_size"]), as_bytes32(doc["log_head"]))
        signed = as_object(doc["signed"])
        share = SignedShare(as_integer(signed["charge"]), as_integer(signed["gpu_seconds"]))
        return Follows(log, as_bytes32(doc["previous"]), share)
    except (KeyError, TypeError, ValueError) as error:
        raise EvidenceInvalid(f"{MANIFEST_FILE}: {error}", file=MANIFEST_FILE) from error


def read_attestations(data: bytes) -> dict[str, bytes]:
    """Read `attestations.json`: signature by lower-case address. Raises EvidenceInvalid."""
    try:
        rows = map(as_object, as_list(_read_json(data, "attestations.json")))
        return {
            str(r["attester"]): bytes.fromhex(as_text(r["signature"]).removeprefix("0x"))
            for r in rows
        }
    except (KeyError, TypeError, ValueError) as error:
        message = f"attestations.json: {error}"
        raise EvidenceInvalid(message, file="attestations.json") from error
