"""What an orchestrator asks: whether to start the process anew, whether to send it requests."""

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from api.routes.http.problems import errors, unready
from api.routes.service import ServiceDep

router = APIRouter(tags=["public"])


class ProbeOut(BaseModel):
    """All is well."""

    status: str = Field(description="Always `ok`; anything else is a problem.")


# Async, both: they wait for no thread, no database and no node.
@router.get("/livez", responses=errors())
async def check_live() -> ProbeOut:
    """Answers while the process does. Only a new start mends what does not."""
    return ProbeOut(status="ok")


@router.get("/readyz", response_model=ProbeOut, responses=errors())
async def check_ready(service: ServiceDep) -> Response:
    """Whether requests can be answered, by a check that is a few seconds old: database and schema.

    A node that does not answer makes nothing unready: metering goes on without it.
    """
    problems = service.readiness.problems()
    return unready(problems) if problems else JSONResponse({"status": "ok"})
