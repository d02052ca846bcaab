"""A bill as PDF, by reportlab: the same bytes for the same sheet."""

import io
from collections.abc import Sequence
from html import escape
from pathlib import Path

import reportlab
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase.pdfmetrics import registerFont, stringWidth
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import Flowable, LongTable, Paragraph, SimpleDocTemplate, Spacer

from api.routes.operator.bill_sheet import Cell, Sheet, Table

_FONTS = Path(reportlab.__file__).parent / "fonts"
_PLAIN, _BOLD = (
    TTFont("Vera", str(_FONTS / "Vera.ttf")),
    TTFont("VeraBd", str(_FONTS / "VeraBd.ttf")),
)
registerFont(_PLAIN)
registerFont(_BOLD)
_GLYPHS = frozenset(_PLAIN.face.charToGlyph) & frozenset(_BOLD.face.charToGlyph)
_MARGIN, _RULE = 40, HexColor("#bbbbbb")
_TEXT = ParagraphStyle("text", fontName="Vera", fontSize=7, leading=9.5, wordWrap="CJK")
_NUMBER = ParagraphStyle("number", parent=_TEXT, alignment=2)
# Its columns are at least as wide as its longest word.
_HEAD = ParagraphStyle("head", parent=_TEXT, fontName="VeraBd", wordWrap=None)
_HEAD_NUMBER = ParagraphStyle("head number", parent=_HEAD, alignment=2)
_TITLE = ParagraphStyle("title", fontName="VeraBd", fontSize=15, leading=22)
_SECTION = ParagraphStyle(
    "section", fontName="VeraBd", fontSize=9.5, leading=18, spaceBefore=6, keepWithNext=1
)
# Frames of a page have so much room inside their edge on both sides.
_FRAME = 12
_FACT_NAMES = 0.2
_PADDING = 5
# A word that is longer, such as a hash, breaks over lines; a text of many words asks for no more.
_LONGEST_WORD, _LONGEST_TEXT = 90, 170


def pdf_of(sheet: Sheet, *, base: str) -> bytes:
    """The document on A4. `base`: address of the service, before the paths of links.

    The font has the letters of Europe; others stand as their code point, `[U+79DF]`.
    """
    file = io.BytesIO()
    template = SimpleDocTemplate(
        file,
        pagesize=A4,
        title=_known(sheet.title),
        author="Rentroll",
        invariant=1,
        **dict.fromkeys(("leftMargin", "rightMargin", "topMargin", "bottomMargin"), _MARGIN),
    )
    width = template.width - _FRAME
    story: list[Flowable] = [Paragraph(_markup(sheet.title), _TITLE)]
    facts = [(Cell(name), Cell(value)) for name, value in sheet.facts]
    story.append(_grid(Table("", (), facts), base, width))
    for table in sheet.tables:
        story.append(Paragraph(_markup(table.title), _SECTION))
        if table.note:
            story.append(Paragraph(_markup(table.note), _TEXT))
        story.append(_grid(table, base, width))
    story.append(Spacer(1, 10))
    story += [Paragraph(_markup(note), _TEXT) for note in sheet.notes]
    template.build(story)
    return file.getvalue()


def _grid(table: Table, base: str, width: float) -> Flowable:
    """A table as wide as the page; its columns share that by what they hold."""
    rows = [
        [
            Paragraph(_cell(cell, base), _NUMBER if place in table.numbers else _TEXT)
            for place, cell in enumerate(row)
        ]
        for row in table.rows
    ]
    if table.header:
        heads = [
            Paragraph(_markup(name), _HEAD_NUMBER if place in table.numbers else _HEAD)
            for place, name in enumerate(table.header)
        ]
        rows.insert(0, heads)
    style = [
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, _RULE),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
        ("RIGHTPADDING", (0, 0), (-1, -1), _PADDING),
        ("TOPPADDING", (0, 0), (-1, -1), 1),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
    ]
    repeated = 1 if table.header else 0
    widths = columns_of(table, width)
    return LongTable(rows, colWidths=widths, style=style, repeatRows=repeated, hAlign="LEFT")


def columns_of(table: Table, width: float) -> list[float]:
    """Columns as wide as their words and figures; what is left is shared by the longest texts."""
    if not table.header:
        return [width * _FACT_NAMES, width * (1 - _FACT_NAMES)]
    places = range(len(table.header))
    least = [_least(table, place) for place in places]
    left = width - sum(least)
    if left <= 0:
        return [width * each / sum(least) for each in least]
    more = [max(_wanted(table, place) - least[place], 1) for place in places]
    return [each + share for each, share in zip(least, _shared(left, more), strict=True)]


def _shared(left: float, wanted: Sequence[float]) -> list[float]:
    """What is left, first to those who want little; what nobody wants is spread."""
    shares = [0.0] * len(wanted)
    for done, place in enumerate(sorted(range(len(wanted)), key=wanted.__getitem__)):
        shares[place] = min(wanted[place], left / (len(wanted) - done))
        left -= shares[place]
    return [share + left * share / sum(shares) for share in shares]


def _least(table: Table, place: int) -> float:
    """No word of the head breaks, and no figure."""
    head = max(_wide(word, _HEAD) for word in table.header[place].split())
    whole = place in table.numbers
    cells = [row[place].text for row in table.rows]
    words = [text for cell in cells for text in ([cell] if whole else cell.split())]
    most = max((_wide(word, _TEXT) for word in words), default=0)
    return max(head, most if whole else min(most, _LONGEST_WORD)) + _PADDING


def _wanted(table: Table, place: int) -> float:
    head = _wide(table.header[place], _HEAD)
    cells = [min(_wide(row[place].text, _TEXT), _LONGEST_TEXT) for row in table.rows]
    return max(head, *cells) + _PADDING


def _wide(text: str, style: ParagraphStyle) -> float:
    # A point more than it measures: paragraphs round.
    return float(stringWidth(_known(text), style.fontName, style.fontSize)) + 1


def _cell(cell: Cell, base: str) -> str:
    text = _markup(cell.text)
    return text if cell.path is None else f'<a href="{escape(base + cell.path)}">{text}</a>'


def _markup(text: str) -> str:
    """Text for a paragraph, which reads tags: none of it is one."""
    return escape(_known(text))


def _known(text: str) -> str:
    return "".join(c if ord(c) in _GLYPHS else f"[U+{ord(c):04X}]" for c in text)
