"""Facts as evidence shows them: one line a fact, with its place in the log and recorded second."""

from collections.abc import Iterable
from dataclasses import dataclass

import orjson

from api.domain.json_text import (
    as_bytes32,
    as_integer,
    as_list,
    as_object,
    as_text,
    canonical_line,
    read_json,
)
from api.domain.metering.facts import (
    Adjusted,
    Agreed,
    Fact,
    Held,
    Out,
    Place,
    Seen,
    Until,
    Voided,
)
from api.domain.metering.lease_terms import terms_document, terms_from
from api.domain.units import Bytes32, Minor
from api.errors import EvidenceInvalid

_CANONICAL = orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE


@dataclass(frozen=True, slots=True)
class Told:
    """A fact of the log: where it stands, and the second at which it was recorded."""

    place: Place
    recorded_at_s: int
    fact: Fact


def _hex(value: bytes) -> str:
    return "0x" + value.hex()


def fact_document(fact: Fact) -> dict[str, object]:
    """What a fact says, as its evidence has it. A version of terms is its own document."""
    if isinstance(fact, Held):
        return {
            "fact": "delivery" if fact.delivery else "usage",
            "device": _hex(fact.device),
            "lease": _hex(fact.lease),
            "start_s": fact.start_s,
            "end_s": fact.end_s,
        }
    if isinstance(fact, Out):
        return {
            "fact": "outage",
            "device": _hex(fact.device),
            "lease": _hex(fact.lease),
            "start_s": fact.start_s,
            "end_s": fact.end_s,
            "cause": "planned" if fact.planned else "fault",
        }
    if isinstance(fact, Seen):
        return {
            "fact": "seen",
            "device": _hex(fact.device),
            "start_s": fact.start_s,
            "end_s": fact.end_s,
        }
    if isinstance(fact, Until):
        target = [fact.target.entry, fact.target.index]
        return {"fact": "until", "target": target, "end_s": fact.end_s}
    if isinstance(fact, Voided):
        return {"fact": "void", "target": [fact.target.entry, fact.target.index]}
    if isinstance(fact, Adjusted):
        return {
            "fact": "adjustment",
            "subject": _hex(fact.subject),
            "lease": _hex(fact.lease),
            "amount": fact.amount,
        }
    return {"fact": "terms", "terms": terms_document(fact.lease, fact.terms)}


def encode_told(told: Iterable[Told]) -> bytes:
    """Facts in order of the log, a line each."""
    return b"".join(map(_line, told))


def _line(told: Told) -> bytes:
    document = {
        "entry": told.place.entry,
        "index": told.place.index,
        "recorded_at_s": told.recorded_at_s,
        **fact_document(told.fact),
    }
    if isinstance(told.fact, Agreed):
        return canonical_line(document)
    # Of hexadecimal text and 64-bit integers it writes the same bytes, in an eighth of the time.
    return orjson.dumps(document, option=_CANONICAL)


def decode_told(data: bytes, *, name: str) -> list[Told]:
    """Read what `encode_told` wrote. Raises EvidenceInvalid naming file and line."""
    found = []
    number = 0
    try:
        for line in data.splitlines():
            number += 1
            found.append(_told(as_object(read_json(line))))
    except (ValueError, KeyError, TypeError) as error:
        message = f"{name} line {number}: {error}"
        raise EvidenceInvalid(message, file=name, line=number) from error
    return found


def _told(doc: dict[str, object]) -> Told:
    place = Place(as_integer(doc["entry"]), as_integer(doc["index"]))
    return Told(place, as_integer(doc["recorded_at_s"]), fact_from(place, doc))


def fact_from(place: Place, doc: dict[str, object]) -> Fact:
    """The fact of a document. Raises ValueError, KeyError or TypeError."""
    kind = as_text(doc["fact"])
    if kind in ("usage", "delivery"):
        device, lease, start_s, end_s = _interval(doc)
        return Held(place, device, lease, start_s, end_s, kind == "delivery")
    if kind == "outage":
        device, lease, start_s, end_s = _interval(doc)
        planned = {"planned": True, "fault": False}[as_text(doc["cause"])]
        return Out(place, device, lease, start_s, end_s, planned)
    if kind == "seen":
        span = as_integer(doc["start_s"]), as_integer(doc["end_s"])
        return Seen(as_bytes32(doc["device"]), *span)
    if kind == "until":
        return Until(_target(doc), as_integer(doc["end_s"]))
    if kind == "void":
        return Voided(_target(doc))
    if kind == "adjustment":
        subject, lease = as_bytes32(doc["subject"]), as_bytes32(doc["lease"])
        return Adjusted(place, subject, lease, Minor(as_integer(doc["amount"])))
    if kind == "terms":
        return Agreed(*terms_from(doc["terms"]))
    raise ValueError(f"no fact is {kind[:40]!r}")


def _interval(doc: dict[str, object]) -> tuple[Bytes32, Bytes32, int, int]:
    device, lease = as_bytes32(doc["device"]), as_bytes32(doc["lease"])
    return device, lease, as_integer(doc["start_s"]), as_integer(doc["end_s"])


def _target(doc: dict[str, object]) -> Place:
    entry, index = map(as_integer, as_list(doc["target"]))
    return Place(entry, index)
