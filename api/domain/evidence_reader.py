"""Reading evidence back: every field checked for type and length, every error naming its file."""

import json
from typing import Any

from api.domain.evidence import (
    CARRY_FILE,
    FACILITY_FILE,
    LEASES_FILE,
    LINES_FILE,
    LINES_HEADER,
    OUTAGES_FILE,
    OUTAGES_HEADER,
    Carry,
)
from api.domain.facility import FacilityTerms, TrancheTerms
from api.domain.lines import Entry, Line
from api.domain.rating import LeaseCarry, LeaseTerms, PricePlan, PriceVersion
from api.domain.units import Bytes32, FacilityId
from api.domain.usage import LineKind, Outage
from api.errors import EvidenceInvalid


def _read_json(data: bytes, name: str) -> Any:
    try:
        return json.loads(data)
    except ValueError as error:
        raise EvidenceInvalid(f"{name} is not JSON", file=name) from error


def _read_rows(data: bytes, header: str, name: str) -> list[list[str]]:
    try:
        text = data.decode("ascii")
    except UnicodeDecodeError as error:
        raise EvidenceInvalid(f"{name} is not ASCII", file=name) from error
    head, *rows = text.split("\n")
    if head != header or not rows or rows.pop() != "":
        raise EvidenceInvalid(f"{name} lacks its header or final newline", file=name)
    return [row.split(",") for row in rows]


def _bytes32(text: str) -> Bytes32:
    value = bytes.fromhex(text.removeprefix("0x"))
    if len(value) != 32:
        raise ValueError(f"{text!r} is not 32 bytes")
    return Bytes32(value)


def decode_facility(data: bytes) -> FacilityTerms:
    """Read `facility.json`. Raises EvidenceInvalid; never trusts the encoding to be canonical."""
    try:
        doc = _read_json(data, FACILITY_FILE)
        return FacilityTerms(
            facility_id=FacilityId(int(doc["facility_id"])),
            gpu_operator=str(doc["gpu_operator"]),
            settlement_token=str(doc["settlement_token"]),
            gpu_class=str(doc["gpu_class"]),
            site=str(doc["site"]),
            window_start_s=int(doc["window_start_s"]),
            window_end_s=int(doc["window_end_s"]),
            epoch_length_s=int(doc["epoch_length_s"]),
            devices=tuple(_bytes32(d) for d in doc["devices"]),
            promised_availability_ppm=int(doc["promised_availability_ppm"]),
            fee_bps=int(doc["fee_bps"]),
            tranches=tuple(
                TrancheTerms(int(t["unit_cap"]), int(t["coupon_micros_per_unit"]))
                for t in doc["tranches"]
            ),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise EvidenceInvalid(f"{FACILITY_FILE}: {error}", file=FACILITY_FILE) from error


def decode_lines(data: bytes) -> list[Line]:
    """Read `lines.csv`. Raises EvidenceInvalid naming the row."""
    lines = []
    row_number = 0
    try:
        for row in _read_rows(data, LINES_HEADER, LINES_FILE):
            index, kind, device, lease, *numbers = row
            start, end, seconds, charge, sum_seconds, sum_charge = (int(n) for n in numbers)
            lines.append(
                Line(
                    int(index),
                    LineKind(int(kind)),
                    _bytes32(device),
                    _bytes32(lease),
                    start,
                    end,
                    seconds,
                    charge,
                    sum_seconds,
                    sum_charge,
                )
            )
            row_number += 1
    except ValueError as error:
        where = f"{LINES_FILE} line {row_number}"
        raise EvidenceInvalid(f"{where}: {error}", file=LINES_FILE, line=row_number) from error
    return lines


def decode_outages(data: bytes) -> list[Outage]:
    """Read `outages.csv`. Raises EvidenceInvalid."""
    try:
        return [
            Outage(_bytes32(device), _bytes32(lease), int(start), int(end))
            for device, lease, start, end in _read_rows(data, OUTAGES_HEADER, OUTAGES_FILE)
        ]
    except ValueError as error:
        raise EvidenceInvalid(f"{OUTAGES_FILE}: {error}", file=OUTAGES_FILE) from error


def decode_leases(data: bytes) -> dict[Bytes32, LeaseTerms]:
    """Read `leases.json`. Raises EvidenceInvalid."""
    try:
        leases = [
            LeaseTerms(
                lease=_bytes32(x["lease"]),
                renter=_bytes32(x["renter"]),
                plan=PricePlan(x["plan"]),
                committed_gpus=int(x["committed_gpus"]),
                opened_at_s=int(x["opened_at_s"]),
                closed_at_s=None if x["closed_at_s"] is None else int(x["closed_at_s"]),
                prices=tuple(
                    PriceVersion(
                        int(p["version"]),
                        int(p["effective_from_s"]),
                        int(p["price_micros_per_gpu_hour"]),
                        int(p["sla_credit_bps"]),
                    )
                    for p in x["prices"]
                ),
            )
            for x in _read_json(data, LEASES_FILE)
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise EvidenceInvalid(f"{LEASES_FILE}: {error}", file=LEASES_FILE) from error
    return {x.lease: x for x in leases}


def decode_carry(data: bytes) -> Carry:
    """Read `carry.json`. Raises EvidenceInvalid."""
    try:
        doc = _read_json(data, CARRY_FILE)
        leases = {
            _bytes32(lease): LeaseCarry(int(c["weight"]), int(c["charged_micros"]))
            for lease, c in doc["leases"].items()
        }
        deferred = tuple(
            Entry(
                LineKind(int(d["kind"])),
                _bytes32(d["device"]),
                _bytes32(d["lease"]),
                int(d["start_s"]),
                int(d["end_s"]),
                int(d["gpu_seconds"]),
            )
            for d in doc["deferred"]
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise EvidenceInvalid(f"{CARRY_FILE}: {error}", file=CARRY_FILE) from error
    return Carry(leases, deferred)


def read_attestations(data: bytes) -> dict[str, bytes]:
    """Read `attestations.json`: signature by lower-case address. Raises EvidenceInvalid."""
    try:
        rows = _read_json(data, "attestations.json")
        return {str(r["attester"]): bytes.fromhex(r["signature"].removeprefix("0x")) for r in rows}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        message = f"attestations.json: {error}"
        raise EvidenceInvalid(message, file="attestations.json") from error
