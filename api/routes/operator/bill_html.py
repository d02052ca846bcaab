"""A bill as one HTML page without any script: to be read, sent and printed."""

import base64
from collections.abc import Iterator
from html import escape

from api.domain.hashing import sha256
from api.routes.operator.bill_sheet import Cell, Sheet, Table

_STYLE = (
    "body{font:14px/1.45 system-ui,sans-serif;color:#111;background:#fff;max-width:60rem;"
    "margin:2rem auto;padding:0 1rem}"
    "h1{font-size:1.6rem}h2{font-size:1.05rem;margin:1.6rem 0 .4rem}"
    "table{border-collapse:collapse;width:100%;font-size:12px}"
    "th,td{border-bottom:1px solid #bbb;padding:.25rem .5rem;text-align:left;vertical-align:top}"
    # Words and figures stay whole; what is one long word, a hash or somebody's name, breaks.
    ".w{overflow-wrap:anywhere;min-width:10rem}"
    ".n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}"
    ".t{overflow-x:auto}"
    "dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem}"
    "dt{color:#444}dd{margin:0;overflow-wrap:anywhere}p{color:#333}"
    "@media print{body{margin:0;max-width:none}.t{overflow:visible}tr{break-inside:avoid}"
    "a{color:inherit}}"
)
# Instants have 20 letters.
_LONG_WORD = 24
_HASH = base64.b64encode(sha256(_STYLE.encode())).decode()
# Nothing runs and nothing is loaded, whatever an operator calls its leases.
POLICY = (
    f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'"
)


def html_of(sheet: Sheet, *, base: str) -> bytes:
    """The page in UTF-8. `base`: address of the service, before the paths of links."""
    return "".join(_page(sheet, base)).encode()


def _page(sheet: Sheet, base: str) -> Iterator[str]:
    yield '<!doctype html><html lang="en"><head><meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width">'
    yield f"<title>{escape(sheet.title)}</title><style>{_STYLE}</style></head>"
    yield f"<body><main><h1>{escape(sheet.title)}</h1><dl>"
    for name, value in sheet.facts:
        yield f"<dt>{escape(name)}</dt><dd>{_text(value)}</dd>"
    yield "</dl>"
    for table in sheet.tables:
        yield from _table(table, base)
    yield "".join(f"<p>{escape(note)}</p>" for note in sheet.notes)
    yield "</main></body></html>\n"


def _table(table: Table, base: str) -> Iterator[str]:
    yield f"<h2>{escape(table.title)}</h2>"
    if table.note:
        yield f"<p>{escape(table.note)}</p>"
    # A narrow window scrolls a table by itself; by keys too.
    yield f'<div class="t" role="region" tabindex="0" aria-label="{escape(table.title)}">'
    yield "<table><thead><tr>"
    for place, name in enumerate(table.header):
        yield f'<th scope="col"{_side(table, place)}>{escape(name)}</th>'
    yield "</tr></thead><tbody>"
    for row in table.rows:
        yield "<tr>"
        for place, cell in enumerate(row):
            yield f"<td{_side(table, place) or _broken(cell)}>{_cell(cell, base)}</td>"
        yield "</tr>"
    yield "</tbody></table></div>"


def _side(table: Table, place: int) -> str:
    return ' class="n"' if place in table.numbers else ""


def _broken(cell: Cell) -> str:
    return ' class="w"' if any(len(word) > _LONG_WORD for word in cell.text.split()) else ""


def _cell(cell: Cell, base: str) -> str:
    if cell.path is None:
        return _text(cell.text)
    return f'<a href="{escape(base + cell.path)}">{_text(cell.text)}</a>'


def _text(text: str) -> str:
    # Names that turn the direction of writing turn nothing beside them.
    return f"<bdi>{escape(text)}</bdi>"
