"""A bill's document as a file, in the form that its name ends with."""

from enum import StrEnum

from fastapi import Response

from api.routes.http.parameters import csv_answer
from api.routes.operator.bill_csv import csv_of
from api.routes.operator.bill_document import BillDocument
from api.routes.operator.bill_html import POLICY, html_of
from api.routes.operator.bill_sheet import Paid, sheet_of


class BillFile(StrEnum):
    """In what form a document is to be had."""

    JSON = "json"
    CSV = "csv"
    HTML = "html"
    PDF = "pdf"


FILE: dict[int | str, dict[str, object]] = {
    200: {
        "description": "The document; `GET` of the same path without an ending describes its JSON.",
        "content": {
            "application/json": {"schema": {"type": "object"}},
            "text/csv": {"schema": {"type": "string"}},
            "text/html": {"schema": {"type": "string"}},
            "application/pdf": {"schema": {"type": "string", "format": "binary"}},
        },
    }
}


def bill_bytes(data: bytes, form: BillFile, *, base: str, paid: Paid | None) -> bytes:
    """A document in a form.

    Args:    data: its canonical bytes.  base: address of the service, before the paths of links.
             paid: None for a draft.
    """
    if form is BillFile.JSON:
        return data
    document = BillDocument.model_validate_json(data)
    if form is BillFile.CSV:
        return csv_of(document, base=base)
    sheet = sheet_of(document, paid)
    if form is BillFile.HTML:
        return html_of(sheet, base=base)
    # It takes half a second to load, and most processes never print.
    from api.routes.operator.bill_pdf import pdf_of

    return pdf_of(sheet, base=base)


def bill_name(data: bytes) -> str:
    """Name of a document's file, without its ending."""
    document = BillDocument.model_validate_json(data)
    number = "draft" if document.number is None else f"{document.number:06d}"
    return f"bill-{document.facility.facility_id}-{document.month}-{number}"


def bill_file(data: bytes, form: BillFile, *, base: str, paid: Paid | None) -> Response:
    """The answer with a document. HTML is shown, the others are saved."""
    found, name = bill_bytes(data, form, base=base, paid=paid), f"{bill_name(data)}.{form}"
    if form is BillFile.CSV:
        return csv_answer(found, name)
    headers = {"X-Content-Type-Options": "nosniff"}
    if form is BillFile.HTML:
        headers["Content-Security-Policy"] = POLICY
        return Response(found, media_type="text/html; charset=utf-8", headers=headers)
    headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return Response(found, media_type=f"application/{form}", headers=headers)
