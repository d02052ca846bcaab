"""Forms of a bill: what is on paper is what is in the document, and no name does harm."""

import csv
import io
import re
from dataclasses import replace

import pytest
from reportlab.pdfbase.pdfmetrics import stringWidth

from api.domain.bills.documents import BillKind, Issue, document_of, encode_document
from api.domain.bills.payments import Settlement
from api.domain.metering.lease_terms import CommitmentStep, FixedItem, SlaStep, TierStep
from api.domain.units import ZERO32
from api.routes.operator.bill_csv import csv_of
from api.routes.operator.bill_document import BillDocument
from api.routes.operator.bill_files import BillFile, bill_bytes, bill_name
from api.routes.operator.bill_html import html_of
from api.routes.operator.bill_pdf import columns_of, pdf_of
from api.routes.operator.bill_sheet import MAX_PRINTED_LINES, Cell, Money, Paid, Table, sheet_of
from tests.unit.bills.test_documents import CARD, OTHER, Story
from tests.unit.statements.histories import NEW_YEAR_S

USD = 1_000_000
EVIL = '<script>alert("x")</script>'


@pytest.fixture(scope="module")
def story():
    """A month with every kind of figure."""
    story = Story(
        commitment=(CommitmentStep(NEW_YEAR_S, 1),), sla=(SlaStep(0, 1_000),), minimum=900 * USD,
        tiers=(TierStep(10, 2_500),), fixed=(FixedItem("setup", NEW_YEAR_S, 5 * USD),),
    )  # fmt: skip
    story.used(0, 20)
    story.out(10, 11, lease=ZERO32)
    story.close()
    story.used(2, 3, device=OTHER)
    story.close(30)
    return story


def _document(story, *, number=17, **changes):
    content = story.content()
    parties = replace(content.parties, **changes.pop("parties", {}))
    content = replace(content, parties=parties, **changes)
    issue = Issue(number, BillKind.BILL, None, NEW_YEAR_S, NEW_YEAR_S + 86_400, ZERO32)
    data = encode_document(document_of(content, issue))
    return BillDocument.model_validate_json(data), data


def _paid(document):
    return Paid(Settlement(0, 3 * USD, document.amount_micros - 3 * USD), 99)


def test_html__every_figure__is_shown_once_and_exact(story):
    document, _ = _document(story)

    page = html_of(sheet_of(document, _paid(document)), base="https://bills").decode()

    text = re.sub(r"<[^>]+>", " ", page)
    assert "Bill 000017" in text
    # 20 hours used, one of them out; an hour beside it came late.
    for figure in ("72,000", "withheld by faults", "25.00 %", "10.00 %", "900.000000 mUSD"):
        assert figure in text, figure
    assert "3.000000 mUSD" in text
    assert "as of block 99" in text
    assert "usage 4/0" in text
    assert 'href="https://bills/v1/facilities/7/epochs/0/lines/0/proof"' in page
    assert text.count("setup") == 1


@pytest.mark.parametrize("name", [EVIL, "a\u202eb", "租约", "&amp;<b>"])
def test_forms__name_that_means_harm__is_only_text(story, name):
    document, data = _document(story, parties={"lease_id": name, "renter_ref": name})
    sheet = sheet_of(document, None)

    page, paper = html_of(sheet, base="").decode(), pdf_of(sheet, base="")

    assert "<script" not in page
    assert "<b>" not in page
    assert paper.startswith(b"%PDF-")
    assert paper == pdf_of(sheet, base="")
    assert bill_name(data) == "bill-7-2026-01-000017"


def _wide(text, font):
    return stringWidth(text, font, 7)


def test_pdf__any_column__holds_the_words_of_its_head_and_its_figures_whole(story):
    document, _ = _document(story)
    tables = [t for t in sheet_of(document, None).tables if t.header]

    for table in tables:
        widths = columns_of(table, 503)
        assert sum(widths) == pytest.approx(503)
        for place, head in enumerate(table.header):
            words = [_wide(word, "VeraBd") for word in head.split()]
            if place in table.numbers:
                words += [_wide(row[place].text, "Vera") for row in table.rows]
            assert max(words) < widths[place], (table.title, head)


def test_pdf__names_too_long_for_a_page__share_it(story):
    row = tuple(Cell("x" * 5_000) for _ in range(9))

    widths = columns_of(Table("t", ("head",) * 9, [row], frozenset({8})), 503)

    assert sum(widths) == pytest.approx(503)
    assert min(widths) > 0


def test_html__long_words__break_and_others_stay_whole(story):
    document, _ = _document(story, parties={"lease_id": "l" * 25})

    page = html_of(sheet_of(document, None), base="").decode()

    assert re.findall('<td class="w"><bdi>0x[0-9a-f]{64}</bdi>', page)
    assert '<td class="w"><bdi>2026' not in page
    assert '<div class="t" role="region" tabindex="0" aria-label="Statements">' in page


def test_csv__rows__sum_to_the_amount_and_run_nothing(story):
    document, data = _document(story, parties={"renter_ref": "=1+1"})

    rows = list(csv.DictReader(io.StringIO(csv_of(document, base="").decode())))

    assert sum(int(row["charge_micros"]) for row in rows) == document.amount_micros
    assert {row["renter_ref"] for row in rows} == {"'=1+1"}
    assert bill_bytes(data, BillFile.CSV, base="", paid=None) == csv_of(document, base="")
    assert bill_bytes(data, BillFile.JSON, base="", paid=None) == data


def test_sheet__too_many_lines__are_summed_to_the_same_amount(story):
    document, _ = _document(story)
    many = [line for line in document.lines if line.kind == "usage"][:1] * (MAX_PRINTED_LINES + 1)
    document = document.model_copy(update={"lines": many})

    (lines,) = [t for t in sheet_of(document, None).tables if t.title.startswith("Lines")]

    assert len(lines.rows) == 1
    assert lines.rows[0][2].text == "501"
    assert lines.rows[0][4].text == Money(document).text(501 * many[0].charge_micros)


def test_money__of_another_token__is_never_called_by_this_ones_name(story):
    document, _ = _document(story)

    texts = [Money(document).text(amount) for amount in (-1, 0, 12_345_678_901)]
    token = document.token.model_copy(update={"symbol": None, "decimals": None})
    unknown = Money(document.model_copy(update={"token": token})).text(-1_500)
    whole = document.token.model_copy(update={"decimals": 0})

    assert texts == ["-0.000001 mUSD", "0.000000 mUSD", "12,345.678901 mUSD"]
    assert unknown == "-1,500 units"
    assert Money(document.model_copy(update={"token": whole})).text(7) == "7 mUSD"


def test_sheet__draft__says_that_it_is_none(story):
    document = BillDocument.model_validate_json(encode_document(document_of(story.content(), None)))

    sheet = sheet_of(document, None)

    assert sheet.title == "Draft bill"
    assert "is no demand" in sheet.notes[0]
    assert not {"Issued", "Due", "Paid", "Open"} & {name for name, _ in sheet.facts}


def test_sheet__facts_that_do_not_explain__leave_the_figures_out(story):
    document, _ = _document(story, explained=None, open_credit=None)

    titles = [table.title for table in sheet_of(document, None).tables]

    assert titles == ["What is billed", "Statements", "Lines (statement/index)"]


def test_device__is_named_nowhere(story):
    _, data = _document(story)

    assert CARD.hex().encode() not in data
