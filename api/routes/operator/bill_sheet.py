"""A bill in words and tables, once for paper and pages: what HTML and PDF both show."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from api.domain.bills.payments import Settlement
from api.domain.metering.instants import format_instant
from api.routes.operator.bill_document import BillDocument, BillExplained, BillLine, proof_path

# Beyond so many lines a page sums them by statement and kind; CSV and JSON always have them all.
MAX_PRINTED_LINES = 500
_TITLES = {
    "bill": "Bill",
    "credit_note": "Credit note",
    "debit_note": "Debit note",
    "draft": "Draft bill",
}


@dataclass(frozen=True, slots=True)
class Cell:
    """Text, and where it leads: a path of the service."""

    text: str
    path: str | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a title. numbers: columns that stand at the right."""

    title: str
    header: tuple[str, ...]
    rows: Sequence[tuple[Cell, ...]]
    numbers: frozenset[int] = frozenset()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """All that a page shows of a document."""

    title: str
    facts: Sequence[tuple[str, str]]
    tables: Sequence[Table]
    notes: Sequence[str]


@dataclass(frozen=True, slots=True)
class Paid:
    """What of a document is paid, as of an indexed block."""

    settlement: Settlement
    block_number: int | None


class Money:
    """Amounts of a document's token, exact, with its symbol; bare units where it is not known."""

    def __init__(self, document: BillDocument) -> None:
        self._token = document.token

    def text(self, amount: int) -> str:
        """An amount in the token's own words."""
        token = self._token
        if token.decimals is None or token.symbol is None:
            return f"{amount:,} units"
        whole, rest = divmod(abs(amount), 10**token.decimals)
        sign = "-" if amount < 0 else ""
        decimals = f".{rest:0{token.decimals}d}" if token.decimals else ""
        return f"{sign}{whole:,}{decimals} {token.symbol}"


def title_of(document: BillDocument) -> str:
    """Kind and number of a document."""
    number = "" if document.number is None else f" {document.number:06d}"
    return _TITLES[document.kind] + number


def sheet_of(document: BillDocument, paid: Paid | None) -> Sheet:
    """A document as pages show it. `paid`: None for a draft."""
    money = Money(document)
    explained = document.explained
    tables = [
        _components(document, money),
        *(() if explained is None else _explained(explained, money)),
        _statements(document, money),
        _lines(document, money),
    ]
    return Sheet(
        title=title_of(document),
        facts=[*_facts(document, money, paid)],
        tables=[table for table in tables if table.rows],
        notes=[*_notes(document)],
    )


def _facts(document: BillDocument, money: Money, paid: Paid | None) -> Iterator[tuple[str, str]]:
    facility, lease = document.facility, document.lease
    yield "From", f"{document.operator.name}, {document.operator.address}"
    yield "To", f"{lease.renter_ref}, lease {lease.lease_id}"
    yield (
        "For",
        f"{facility.name} (facility {facility.facility_id}), {facility.gpu_class}, {facility.site}",
    )
    span = f"{format_instant(document.start_s)} to {format_instant(document.end_s)}"
    yield "Month", f"{document.month} (UTC): {span}"
    if document.corrects is not None:
        yield "Corrects", f"document {document.corrects:06d}"
    if document.issued_at_s is not None:
        yield "Issued", format_instant(document.issued_at_s)
    if document.due_at_s is not None:
        yield "Due", format_instant(document.due_at_s)
    yield "Amount", money.text(document.amount_micros)
    if paid is not None and document.amount_micros > 0:
        settled = paid.settlement
        yield "Lowered by credit notes", money.text(settled.credited)
        yield "Paid", money.text(settled.paid)
        block = "" if paid.block_number is None else f", as of block {paid.block_number}"
        yield "Open", money.text(settled.open) + block
    yield "Token", f"{document.token.symbol or 'not known here'}, {document.token.address}"
    yield "Pay to", document.payment.lockbox or "no lockbox is deployed"
    yield "Payment reference", document.payment.reference


def _cells(*texts: object) -> tuple[Cell, ...]:
    return tuple(Cell(str(text)) for text in texts)


def _components(document: BillDocument, money: Money) -> Table:
    rows = [_cells(name, money.text(amount)) for name, amount in document.components.items()]
    rows.append(_cells("sum", money.text(document.amount_micros)))
    credit = document.open_credit_micros
    note = ""
    if credit:
        note = (
            f"Of the month {money.text(credit)} less is owed than was stated: later statements give"
            " that back as revenue allows."
        )
    header = ("Component", "Amount")
    return Table("What is billed", header, rows, frozenset({1}), note)


def _explained(explained: BillExplained, money: Money) -> Iterator[Table]:
    rows = [
        _cells("used", f"{explained.used_gpu_seconds:,}"),
        _cells("billed", f"{explained.billed_gpu_seconds:,}"),
        _cells("withheld by faults", f"{explained.withheld_gpu_seconds:,}"),
        _cells("planned outages", f"{explained.planned_gpu_seconds:,}"),
        _cells("committed", f"{explained.committed_gpu_seconds:,}"),
    ]
    header: tuple[str, ...] = ("Time of the month", "GPU-seconds")
    yield Table("Time", header, rows, frozenset({1}))
    header = ("From", "To", "Terms", "Price of an hour", "Committed", "GPU-seconds", "Usage")
    priced = [
        _cells(
            format_instant(p.start_s),
            format_instant(p.end_s),
            f"version {p.version}",
            f"{money.text(p.price)} for {p.gpus}",
            f"{p.committed_gpus:,}",
            f"{p.billed_gpu_seconds:,}",
            money.text(p.charge),
        )
        for p in explained.priced
    ]
    yield Table("Prices", header, priced, frozenset({4, 5, 6}))
    tiers = [
        _cells(f"{t.above_hours:,}", f"{_percent(t.discount_bps)}", f"{t.gpu_seconds:,}")
        for t in explained.tiers
    ]
    header = ("Above GPU-hours", "Discount", "GPU-seconds in it")
    yield Table("Tiers", header, tiers, frozenset({0, 1, 2}))
    yield Table(
        "Terms of the month", ("What", "Figure"), [*_agreed(explained, money)], frozenset({1})
    )
    items = [_cells(i.name, format_instant(i.at_s), money.text(i.amount)) for i in explained.fixed]
    yield Table("Fixed items", ("Item", "Due at", "Amount"), items, frozenset({2}))


def _agreed(explained: BillExplained, money: Money) -> Iterator[tuple[Cell, ...]]:
    if explained.committed_gpu_seconds:
        yield _cells("committed, at the price", money.text(explained.committed))
        yield _cells("not owed of it: withheld or planned", money.text(explained.excused))
    if explained.minimum:
        yield _cells("minimum of the month", money.text(explained.minimum))
    if explained.sla is not None:
        sla = explained.sla
        share = f"{sla.withheld_ppm:,} millionths of {sla.whole_gpu_seconds:,} GPU-seconds"
        yield _cells("withheld share", share)
        yield _cells("credit of the step passed", _percent(sla.step_bps))
        yield _cells("credit at most", _percent(sla.cap_bps))
        yield _cells("credit of the month's charge", _percent(sla.credit_bps))


def _percent(bps: int) -> str:
    return f"{bps // 100}.{bps % 100:02d} %"


def _statements(document: BillDocument, money: Money) -> Table:
    rows = []
    for each in document.statements:
        moved = ", ".join(f"{m.fact} {m.entry}/{m.index}" for m in each.moved_by)
        name = f"{each.statement} (closing)" if each.closing else str(each.statement)
        start, end = format_instant(each.start_s), format_instant(each.end_s)
        hashed = each.statement_hash
        rows.append(
            _cells(name, f"{start} to {end}", hashed, moved, money.text(each.amount_micros))
        )
    header = ("Statement", "Over", "Hash on-chain", "Moved by (entry/index)", "Amount")
    return Table("Statements", header, rows, frozenset({4}))


def _lines(document: BillDocument, money: Money) -> Table:
    if len(document.lines) > MAX_PRINTED_LINES:
        return _summed_lines(document, money)
    header = ("Line", "Kind", "About", "From", "To", "GPU-seconds", "Charge")
    rows = [
        (
            Cell(f"{line.statement}/{line.index}", proof_path(document, line)),
            *_cells(
                line.kind,
                line.about or "",
                format_instant(line.start_s),
                format_instant(line.end_s),
                f"{line.gpu_seconds:,}",
                money.text(line.charge_micros),
            ),
        )
        for line in document.lines
    ]
    note = "Each line leads to its proof: that it stands under the root of its statement."
    return Table("Lines (statement/index)", header, rows, frozenset({5, 6}), note)


def _summed_lines(document: BillDocument, money: Money) -> Table:
    groups: dict[tuple[int, str], list[BillLine]] = {}
    for line in document.lines:
        groups.setdefault((line.statement, line.kind), []).append(line)
    rows = [
        (
            Cell(f"{statement}/{some[0].index}", proof_path(document, some[0])),
            *_cells(
                kind,
                f"{len(some):,}",
                f"{sum(line.gpu_seconds for line in some):,}",
                money.text(sum(line.charge_micros for line in some)),
            ),
        )
        for (statement, kind), some in groups.items()
    ]
    note = f"{len(document.lines):,} lines in sums; the CSV has each with its proof."
    header = ("First line", "Kind", "Lines", "GPU-seconds", "Charge")
    return Table("Lines (statement/index)", header, rows, frozenset({2, 3, 4}), note)


def _notes(document: BillDocument) -> Iterator[str]:
    if document.kind == "draft":
        yield "A draft: it has no number, is no demand, and can change."
    yield (
        f"Facts of the month are taken until {format_instant(document.changes_until_s)}. What"
        " statements say of it after this document makes a note of its own."
    )
    yield "Amounts are net of tax. Rent pays the oldest documents of the lease first."
    yield (
        "Attesters recomputed each statement before they signed it. rentroll verify does the same"
        " from the chain and the published evidence; a line's proof leads to its statement's root."
    )
