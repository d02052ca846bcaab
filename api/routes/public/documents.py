"""Published files of a facility with their hashes."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.reads.documents import DocumentView
from api.reads.documents import list_documents as documents_of
from api.routes.http.parameters import Offset, PageLimit, TranchePath
from api.routes.http.problems import errors
from api.routes.service import ServiceDep

router = APIRouter(tags=["public"])


class DocumentOut(BaseModel):
    """A published file."""

    name: str = Field(description="File name.")
    path: str = Field(description="Path below /v1/evidence/.")
    sha256: str = Field(description="SHA-256 of its bytes, 0x-hex.")
    bytes: int = Field(description="Size of the file.")
    on_chain: str | None = Field(
        description="Value on-chain that equals this hash: termsHash, evidenceHash, or null."
    )
    epoch: int | None = Field(description="Epoch from 0; null for the facility's terms.")


class DocumentsOut(BaseModel):
    """A page of files."""

    total: int = Field(description="Files that can be published, whether or not they are yet.")
    documents: list[DocumentOut] = Field(description="Those that are, from `offset` on.")


def to_api_document(document: DocumentView) -> DocumentOut:
    """A published file."""
    return DocumentOut(
        name=document.name,
        path=document.path,
        sha256=document.sha256,
        bytes=document.bytes,
        on_chain=document.on_chain,
        epoch=document.epoch,
    )


@router.get("/v1/tranches/{token_id}/documents", responses=errors(404, 422))
def list_documents(
    service: ServiceDep, token_id: TranchePath, offset: Offset = 0, limit: PageLimit = 100
) -> DocumentsOut:
    """Published files with their hashes: the terms, then epochs, newest first.

    `total`, `offset` and `limit` count files that can be published; a page leaves out those that
    are not yet.
    """
    total, published = documents_of(
        service.engine, service.evidence, token_id, offset=offset, limit=limit
    )
    return DocumentsOut(
        total=total, documents=[to_api_document(document) for document in published]
    )
