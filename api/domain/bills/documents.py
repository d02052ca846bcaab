"""Documents: bills, and the notes that correct them, as canonical JSON that never changes.

A document says what statements stated of one lease for one UTC month, from where the document
before ended. So the documents of a month sum to what was stated of it, whenever they are issued.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum

from api.domain.bills.account import Cut, Explained, Mover
from api.domain.hashing import sha256
from api.domain.json_text import canonical_line
from api.domain.metering.calendar import Calendar
from api.domain.metering.usage import LineKind
from api.domain.statements.money_book import Due
from api.domain.statements.obligation import component_kind
from api.domain.units import Bytes32, Epoch, FacilityId, GpuSeconds, Minor

FORMAT = "rentroll-bill-1"


class BillKind(StrEnum):
    """What a document is."""

    BILL = "bill"
    CREDIT_NOTE = "credit_note"
    DEBIT_NOTE = "debit_note"


@dataclass(frozen=True, slots=True)
class StatedLine:
    """A line that a statement has of the lease and month, and where it stands."""

    epoch: Epoch
    index: int
    kind: LineKind
    subject: Bytes32
    start_s: int
    end_s: int
    gpu_seconds: GpuSeconds
    charge: Minor


@dataclass(frozen=True, slots=True)
class NamedStatement:
    """A statement of which a document has lines."""

    epoch: Epoch
    closing: bool
    start_s: int
    end_s: int
    statement_hash: Bytes32


@dataclass(frozen=True, slots=True)
class Parties:
    """Who bills whom for what."""

    operator_name: str
    operator_address: str
    facility_id: FacilityId
    facility_name: str
    gpu_class: str
    site: str
    lease_id: str
    lease: Bytes32
    renter_ref: str


@dataclass(frozen=True, slots=True)
class Token:
    """The settlement token; symbol and decimals None where the chain was not asked."""

    address: str
    symbol: str | None
    decimals: int | None


@dataclass(frozen=True, slots=True)
class Content:
    """What a document says, whatever its number.

    through: the last statement that it takes.  lines: of it and those before, behind the document
    before.  about: the name of a fixed item, the reason of an adjustment, by subject.
    open_credit: what is due below what was stated, and no statement could bear yet.
    explained: None where the facts do not give what was stated.
    changes_until_s: facts of the month are taken as long.
    """

    parties: Parties
    token: Token
    lockbox: str | None
    month: int
    start_s: int
    end_s: int
    through: Epoch
    statements: Sequence[NamedStatement]
    lines: Sequence[StatedLine]
    about: Mapping[Bytes32, str]
    movers: Mapping[Epoch, Sequence[Mover]]
    open_credit: Minor | None
    explained: Explained | None
    changes_until_s: int

    @property
    def amount(self) -> Minor:
        """Sum of the lines."""
        return Minor(sum(line.charge for line in self.lines))


@dataclass(frozen=True, slots=True)
class Issue:
    """What a document gets when it is issued. previous: hash of the operator's document before."""

    number: int
    kind: BillKind
    corrects: int | None
    issued_at_s: int
    due_at_s: int | None
    previous: Bytes32


def bill_kind(amount: Minor, *, first: bool) -> BillKind:
    """A first document is a bill; below zero, or later, it is a note."""
    if amount < 0:
        return BillKind.CREDIT_NOTE
    return BillKind.BILL if first else BillKind.DEBIT_NOTE


def is_worth_issuing(*, charge: int, charged_lines: int, first: bool) -> bool:
    """Whether lines make a document: a first one if any has money, a note if their sum is not 0.

    What makes none waits for the next one.
    """
    return charged_lines > 0 if first else charge != 0


def is_month_stated(calendar: Calendar, month: int, *, last: Cut) -> bool:
    """Whether statements up to one have stated a month whole: then it can be billed.

    A month behind the window, of which only adjustments are stated, is whole with the closing.
    """
    segments = calendar.of_month(month)
    return last.period.closing or (bool(segments) and last.period.epoch >= segments[-1].epoch)


def month_text(month: int) -> str:
    """A month as `2026-12`."""
    return f"{month // 12:04d}-{month % 12 + 1:02d}"


def open_credit(stated: Iterable[StatedLine], owed: Due) -> Minor | None:
    """What a month owes less than was stated of it: later statements give it back.

    Args:    stated: all lines of the month up to the statement by which it owes that.
    Returns: None if some component owes more than was stated of it: the facts are not those from
             which it was stated.
    """
    left: dict[LineKind, int] = {}
    for line in stated:
        kind = component_kind(line.kind)
        if kind is not LineKind.ADJUSTMENT_DIFFERENCE:
            left[kind] = left.get(kind, 0) + line.charge
    for (kind, _), amount in owed.items():
        left[kind] = left.get(kind, 0) - amount
    return None if any(amount < 0 for amount in left.values()) else Minor(sum(left.values()))


def document_of(content: Content, issue: Issue | None) -> dict[str, object]:
    """A document as JSON; of a draft, which is not issued, what it would say now.

    Source:  docs/BILLS.md has it field by field.
    """
    parties, token = content.parties, content.token
    by_component: dict[str, int] = {}
    for line in content.lines:
        name = component_name(line.kind)
        by_component[name] = by_component.get(name, 0) + line.charge
    explained = content.explained
    return {
        "format": FORMAT,
        "kind": "draft" if issue is None else issue.kind.value,
        "number": None if issue is None else issue.number,
        "corrects": None if issue is None else issue.corrects,
        "issued_at_s": None if issue is None else issue.issued_at_s,
        "due_at_s": None if issue is None else issue.due_at_s,
        "previous_hash": None if issue is None else _hex(issue.previous),
        "operator": {"name": parties.operator_name, "address": parties.operator_address},
        "facility": {
            "facility_id": parties.facility_id,
            "name": parties.facility_name,
            "gpu_class": parties.gpu_class,
            "site": parties.site,
        },
        "lease": {
            "lease_id": parties.lease_id,
            "lease": _hex(parties.lease),
            "renter_ref": parties.renter_ref,
        },
        "payment": {"lockbox": content.lockbox, "reference": _hex(parties.lease)},
        "token": asdict(token),
        "month": month_text(content.month),
        "start_s": content.start_s,
        "end_s": content.end_s,
        "changes_until_s": content.changes_until_s,
        "through_statement": content.through,
        "amount_micros": content.amount,
        "open_credit_micros": content.open_credit,
        "components": {name: amount for name, amount in sorted(by_component.items()) if amount},
        "statements": [*_statements(content)],
        "lines": [*_lines(content)],
        "explained": None if explained is None else asdict(explained),
    }


def _statements(content: Content) -> Iterator[dict[str, object]]:
    sums: dict[Epoch, int] = {}
    for line in content.lines:
        sums[line.epoch] = sums.get(line.epoch, 0) + line.charge
    for each in content.statements:
        yield {
            "statement": each.epoch,
            "closing": each.closing,
            "start_s": each.start_s,
            "end_s": each.end_s,
            "statement_hash": _hex(each.statement_hash),
            "amount_micros": sums[each.epoch],
            "moved_by": [
                {"entry": m.place.entry, "index": m.place.index, "fact": m.what}
                for m in content.movers.get(each.epoch, ())
            ],
        }


def _lines(content: Content) -> Iterator[dict[str, object]]:
    for line in content.lines:
        yield {
            "statement": line.epoch,
            "index": line.index,
            "kind": line.kind.name.lower(),
            "about": content.about.get(line.subject),
            "start_s": line.start_s,
            "end_s": line.end_s,
            "gpu_seconds": line.gpu_seconds,
            "charge_micros": line.charge,
        }


def component_name(kind: LineKind) -> str:
    """Name of the component to which a line's money belongs, such as `usage`."""
    return component_kind(kind).name.lower().removesuffix("_difference")


def encode_document(document: Mapping[str, object]) -> bytes:
    """The canonical bytes of a document, of which its hash is."""
    return canonical_line(document)


def document_hash(data: bytes) -> Bytes32:
    """SHA-256 of a document's bytes."""
    return sha256(data)


def _hex(value: bytes) -> str:
    return "0x" + value.hex()
