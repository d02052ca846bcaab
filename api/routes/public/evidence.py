"""Published evidence, byte for byte."""

import re
from typing import Annotated

from fastapi import APIRouter, Path, Response

from api.domain.hashing import sha256
from api.routes.http.problems import errors
from api.routes.service import ServiceDep

router = APIRouter(tags=["public"])

_EVIDENCE_FILE: dict[int | str, dict[str, object]] = {
    200: {
        "description": "The file's bytes.",
        "content": {
            "application/json": {"schema": {"type": ["object", "array"]}},
            "text/csv": {"schema": {"type": "string"}},
        },
    }
}


# A replaced statement lies under its hash; only signatures may still be added. Elsewhere an epoch
# that is reopened gets other bytes.
_NEVER_CHANGES = re.compile(
    r"facility-\d+/superseded/epoch-\d+-[0-9a-f]{64}/(?!attestations\.json)[^/]+"
)


@router.get(
    "/v1/evidence/{path:path}",
    responses=_EVIDENCE_FILE | errors(404, 422),
    response_class=Response,
)
def read_evidence(
    service: ServiceDep,
    path: Annotated[str, Path(max_length=300, description="File below the evidence root.")],
) -> Response:
    """A file of the published evidence, byte for byte; its `ETag` is its SHA-256."""
    data = service.evidence.read(path)
    kind = "text/csv" if path.endswith(".csv") else "application/json"
    headers = {"X-Content-Type-Options": "nosniff", "ETag": f'"{sha256(data).hex()}"'}
    if _NEVER_CHANGES.fullmatch(path):
        headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return Response(data, media_type=kind, headers=headers)
