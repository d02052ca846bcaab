"""State of a facility's books between two statements: `state.jsonl`, published once a month.

Whoever has it and the log behind it comes to the next statements as if it had read all: a verifier
or an attester may begin there. It holds facts, terms and sums of what is open, a line each.
"""

from collections.abc import Mapping
from typing import TypeVar

from api.domain.facility import Period
from api.domain.json_text import (
    as_bytes32,
    as_integer,
    as_list,
    as_object,
    canonical_line,
    read_json,
)
from api.domain.metering.calendar import month_of
from api.domain.metering.facts import Adjusted, Agreed, Fact, Held, Out, Place, Seen
from api.domain.metering.usage import LineKind
from api.domain.statements.books import Kept
from api.domain.statements.evidence import STATE_FILE, hex32
from api.domain.statements.money_book import Component, Due, Pair
from api.domain.statements.told import fact_document, fact_from
from api.domain.units import Bytes32, Epoch
from api.errors import EvidenceInvalid

_NOWHERE = Place(0, 0)
_F = TypeVar("_F", Seen, Agreed, Adjusted)


def publishes_state(period: Period) -> bool:
    """Whether the statement of a period publishes the state behind it: of one that ends a month."""
    return not period.closing and month_of(period.start_s) != month_of(period.end_s)


def encode_state(kept: Kept) -> bytes:
    """The state, in one canonical form."""
    head = {"next_epoch": kept.next_epoch, "sealed_month": kept.sealed_month}
    lines: list[Mapping[str, object]] = [head]
    lines += [_placed(fact.place, fact) for fact in kept.facts]
    lines += map(fact_document, kept.seen)
    lines += map(fact_document, kept.agreed)
    lines += [_placed(fact.place, fact) for fact in kept.adjusted]
    for name, dues in (("stated", kept.stated), ("constant", kept.constant)):
        lines += [{name: _pair(pair), "due": _due(due)} for pair, due in sorted(dues.items())]
    lines += [{"owing": _pair(pair)} for pair in kept.owing]
    lines += [{"unsigned": hex32(lease)} for lease in kept.unsigned]
    lines += [{"kept_from": hex32(lease)} for lease in kept.kept_from]
    return b"".join(map(canonical_line, lines))


def _placed(place: Place, fact: Fact) -> Mapping[str, object]:
    return {"entry": place.entry, "index": place.index, **fact_document(fact)}


def _pair(pair: Pair) -> list[object]:
    return [hex32(pair[0]), pair[1]]


def _due(due: Due) -> list[list[object]]:
    return [[kind.value, hex32(subject), due[kind, subject]] for kind, subject in sorted(due)]


def decode_state(data: bytes) -> Kept:
    """Read what `encode_state` wrote. Raises EvidenceInvalid naming the line."""
    number = 0
    try:
        head, *lines = map(read_json, data.splitlines())
        first = as_object(head)
        next_epoch = Epoch(as_integer(first["next_epoch"]))
        sealed_month = as_integer(first["sealed_month"])
        read = _Reader()
        for line in lines:
            number += 1
            read.take(as_object(line))
        return Kept(
            next_epoch=next_epoch,
            sealed_month=sealed_month,
            facts=tuple(fact for fact in read.facts if isinstance(fact, Held | Out)),
            seen=read.of(Seen),
            agreed=read.of(Agreed),
            adjusted=read.of(Adjusted),
            stated=read.dues["stated"],
            constant=read.dues["constant"],
            owing=tuple(read.owing),
            unsigned=tuple(read.leases["unsigned"]),
            kept_from=tuple(read.leases["kept_from"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        message = f"{STATE_FILE} line {number + 1}: {error}"
        raise EvidenceInvalid(message, file=STATE_FILE, line=number + 1) from error


class _Reader:
    """Lines of a state, sorted out by what they are."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []
        self.dues: dict[str, dict[Pair, Due]] = {"stated": {}, "constant": {}}
        self.owing: list[Pair] = []
        self.leases: dict[str, list[Bytes32]] = {"unsigned": [], "kept_from": []}

    def take(self, doc: dict[str, object]) -> None:
        """Read one line. Raises ValueError, KeyError or TypeError."""
        if "owing" in doc:
            self.owing.append(_pair_of(doc["owing"]))
        elif doc.keys() <= self.leases.keys() and len(doc) == 1:
            [name] = doc
            self.leases[name].append(as_bytes32(doc[name]))
        elif "due" in doc:
            [name] = doc.keys() - {"due"}
            self.dues[name][_pair_of(doc[name])] = dict(map(_component, as_list(doc["due"])))
        else:
            place = _NOWHERE
            if "entry" in doc:
                place = Place(as_integer(doc["entry"]), as_integer(doc["index"]))
            self.facts.append(fact_from(place, doc))

    def of(self, kind: type[_F]) -> tuple[_F, ...]:
        """Facts of one kind, in order."""
        return tuple(fact for fact in self.facts if isinstance(fact, kind))


def _pair_of(value: object) -> Pair:
    lease, month = as_list(value)
    return as_bytes32(lease), as_integer(month)


def _component(value: object) -> tuple[Component, int]:
    kind, subject, amount = as_list(value)
    return (LineKind(as_integer(kind)), as_bytes32(subject)), as_integer(amount)
