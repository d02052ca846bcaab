"""Reading evidence back: every field checked for type and length, every error naming its file."""

import re
from typing import Any

from api.domain.facility import FacilityTerms, TrancheTerms
from api.domain.json_text import read_json
from api.domain.metering.usage import LineKind, Outage
from api.domain.statements.evidence import (
    CARRY_FILE,
    FACILITY_FILE,
    LEASES_FILE,
    LINES_FILE,
    LINES_HEADER,
    OUTAGES_FILE,
    OUTAGES_HEADER,
    Carry,
)
from api.domain.statements.lines import Entry, Line
from api.domain.statements.rating import LeaseCarry, LeaseTerms, PricePlan, PriceVersion
from api.domain.units import Bytes32, FacilityId
from api.errors import EvidenceInvalid

# No field is wider than 256 bits, 78 digits.
_DECIMAL = re.compile(r"0|-?[1-9][0-9]{0,77}", re.ASCII)


def _read_json(data: bytes, name: str) -> Any:
    try:
        return read_json(data)
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


def _integer(value: object) -> int:
    """A JSON integer: no fraction, text or truth value is taken for one. Raises TypeError."""
    if type(value) is not int:
        raise TypeError(f"{str(value)[:40]!r} is not an integer")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{str(value)[:40]!r} is not text")
    return value


def _decimal(text: str) -> int:
    """An integer as we write it into text: no spaces, signs, zeros or digits of others.

    Raises:  ValueError.
    """
    if _DECIMAL.fullmatch(text) is None:
        raise ValueError(f"{text[:40]!r} is not an integer")
    return int(text)


def _bytes32(value: object) -> Bytes32:
    text = _text(value)
    found = bytes.fromhex(text.removeprefix("0x"))
    if len(found) != 32:
        raise ValueError(f"{text[:80]!r} is not 32 bytes")
    return Bytes32(found)


def decode_facility(data: bytes) -> FacilityTerms:
    """Read `facility.json`. Raises EvidenceInvalid; never trusts the encoding to be canonical."""
    try:
        doc = _read_json(data, FACILITY_FILE)
        return FacilityTerms(
            facility_id=FacilityId(_integer(doc["facility_id"])),
            gpu_operator=_text(doc["gpu_operator"]),
            settlement_token=_text(doc["settlement_token"]),
            gpu_class=_text(doc["gpu_class"]),
            site=_text(doc["site"]),
            window_start_s=_integer(doc["window_start_s"]),
            window_end_s=_integer(doc["window_end_s"]),
            epoch_length_s=_integer(doc["epoch_length_s"]),
            devices=tuple(_bytes32(d) for d in doc["devices"]),
            promised_availability_ppm=_integer(doc["promised_availability_ppm"]),
            fee_bps=_integer(doc["fee_bps"]),
            tranches=tuple(
                TrancheTerms(_integer(t["unit_cap"]), _integer(t["coupon_micros_per_unit"]))
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
            start, end, seconds, charge, sum_seconds, sum_charge = (_decimal(n) for n in numbers)
            lines.append(
                Line(
                    _decimal(index),
                    LineKind(_decimal(kind)),
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
            Outage(_bytes32(device), _bytes32(lease), _decimal(start), _decimal(end))
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
                committed_gpus=_integer(x["committed_gpus"]),
                opened_at_s=_integer(x["opened_at_s"]),
                closed_at_s=None if x["closed_at_s"] is None else _integer(x["closed_at_s"]),
                prices=tuple(
                    PriceVersion(
                        _integer(p["version"]),
                        _integer(p["effective_from_s"]),
                        _integer(p["price_micros_per_gpu_hour"]),
                        _integer(p["sla_credit_bps"]),
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
            _bytes32(lease): LeaseCarry(_decimal(_text(c["weight"])), _integer(c["charged_micros"]))
            for lease, c in doc["leases"].items()
        }
        deferred = tuple(
            Entry(
                LineKind(_integer(d["kind"])),
                _bytes32(d["device"]),
                _bytes32(d["lease"]),
                _integer(d["start_s"]),
                _integer(d["end_s"]),
                _integer(d["gpu_seconds"]),
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
