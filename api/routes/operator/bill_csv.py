"""A bill as CSV: a row a line, each with its proof; the charges sum to the bill's amount."""

from api.domain.metering.instants import format_instant
from api.reads.export import encode_csv
from api.routes.operator.bill_document import BillDocument, proof_path

_HEADER = (
    *("document", "number", "corrects", "month", "facility_id", "lease_id", "renter_ref"),
    *("statement", "index", "kind", "about", "start", "end", "gpu_seconds", "charge_micros"),
    *("token", "proof"),
)


def csv_of(document: BillDocument, *, base: str) -> bytes:
    """All lines of a document. `base`: address of the service, before the paths of proofs."""
    return encode_csv(
        _HEADER,
        (
            (
                document.kind,
                document.number,
                document.corrects,
                document.month,
                document.facility.facility_id,
                document.lease.lease_id,
                document.lease.renter_ref,
                line.statement,
                line.index,
                line.kind,
                line.about,
                format_instant(line.start_s),
                format_instant(line.end_s),
                line.gpu_seconds,
                line.charge_micros,
                document.token.symbol or document.token.address,
                base + proof_path(document, line),
            )
            for line in document.lines
        ),
    )
