"""The operator's overview: its facilities and what has to be done."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.domain.statements.evidence import hex32
from api.reads.console.overview import ConsoleFacilityView, overview
from api.reads.console.tasks import TaskView
from api.routes.http.credentials import OperatorReader
from api.routes.http.problems import errors
from api.routes.http.schemas import MICROS, STATE
from api.routes.public.panels import PanelOut, PledgeOut, to_api_panel, to_api_pledge
from api.routes.service import ServiceDep

router = APIRouter(tags=["console"])


class ConsoleOperator(BaseModel):
    """The operator itself."""

    operator_id: int = Field(description="Number of the operator.")
    name: str = Field(description="Name as registered.")
    address: str = Field(description="Checksummed wallet address.")


class TaskOut(BaseModel):
    """One thing to do."""

    kind: str = Field(
        description="offer_missing, mint_or_sale_missing, pledge_not_approved (attesters of its"
        " panel sign by themselves), bond_below_required, default_near (get"
        " the epoch attested, or publish its evidence), metering_silent, metering_gap,"
        " events_rejected, conflicts, epoch_voided (reopen it), epoch_reopened (send corrections"
        " until it is due), epoch_stuck, rent_overdue, proceeds_releasable, withdrawable or"
        " device_pledged_twice."
    )
    severity: str = Field(description="critical, warning or info.")
    facility_id: int = Field(description="Facility; for `withdrawable` the first with its token.")
    epoch: int | None = Field(description="Epoch, where it is about one.")
    amount_micros: int | None = Field(description=f"Amount, where it is about money; {MICROS}.")
    device: str | None = Field(description="Device hash, 0x-hex, where it is about one.")
    due_at_s: int | None = Field(description="UTC seconds; null if there is no deadline.")


class ConsoleFacility(BaseModel):
    """One facility of the operator."""

    facility_id: int = Field(description="Facility.")
    name: str = Field(description="Name as registered.")
    gpu_class: str = Field(description="SKU.")
    site: str = Field(description="Data centre.")
    state: str = Field(description=f"{STATE}.")
    window_start_s: int = Field(description="UTC seconds.")
    window_end_s: int = Field(description="UTC seconds, exclusive.")
    epochs_closed: int = Field(description="Statements in the books.")
    epochs_posted: int = Field(description="Epochs whose statement stands on-chain.")
    epochs_settled: int = Field(description="Number of epochs that a settlement has counted.")
    receivable_micros: int = Field(description=f"Attested, rent not collected; {MICROS}.")
    bond_micros: int | None = Field(description=f"Bond held; null if none was agreed; {MICROS}.")
    required_bond_micros: int | None = Field(description=f"Least bond; {MICROS}.")
    panel: PanelOut | None = Field(description="Who attests it; null while it is not offered.")
    pledge: PledgeOut = Field(description="Its pledge, and whether attesters approved it.")
    pledge_signers: list[str] | None = Field(
        description="Attesters that signed the pledge so far, while it waits for as many as the"
        " panel's threshold says; null while it waits for none."
    )


class ConsoleOut(BaseModel):
    """The operator's overview."""

    operator: ConsoleOperator = Field(description="The operator.")
    tasks: list[TaskOut] = Field(description="Most urgent first: by severity, then by deadline.")
    facilities: list[ConsoleFacility] = Field(description="By facility id.")


def to_api_task(task: TaskView) -> TaskOut:
    """One thing to do."""
    return TaskOut(
        kind=task.kind,
        severity=task.severity.value,
        facility_id=task.facility_id,
        epoch=task.epoch,
        amount_micros=task.amount_micros,
        device=None if task.device is None else hex32(task.device),
        due_at_s=task.due_at_s,
    )


def to_api_console_facility(view: ConsoleFacilityView) -> ConsoleFacility:
    """One facility of the operator."""
    facility, bond = view.facility, view.chain.bond
    return ConsoleFacility(
        facility_id=facility.facility_id,
        name=facility.name,
        gpu_class=facility.gpu_class,
        site=facility.site,
        state=view.chain.state.word,
        window_start_s=facility.window_start_s,
        window_end_s=facility.window_end_s,
        epochs_closed=facility.epochs_closed,
        epochs_posted=view.epochs_posted,
        epochs_settled=view.chain.epochs_settled,
        receivable_micros=view.rent.receivable_micros,
        bond_micros=None if bond is None else bond.bond_micros,
        required_bond_micros=None if bond is None else bond.required_bond_micros,
        panel=to_api_panel(view.attested.panel),
        pledge=to_api_pledge(view.attested.pledge),
        pledge_signers=None if view.attested.signers is None else list(view.attested.signers),
    )


@router.get("/v1/console", responses=errors(401, 403))
def get_console(service: ServiceDep, operator_id: OperatorReader) -> ConsoleOut:
    """The operator's facilities and tasks, as of the newest indexed block.

    Tasks follow from the records and the chain; they go away when their cause does. Rejections
    of the last day and conflicts of the last seven days count as news.
    """
    console = overview(
        service.engine, service.contracts, operator_id=operator_id, now_s=service.clock()
    )
    operator = console.operator
    return ConsoleOut(
        operator=ConsoleOperator(
            operator_id=operator.operator_id, name=operator.name, address=operator.address
        ),
        tasks=[to_api_task(task) for task in console.tasks],
        facilities=[to_api_console_facility(view) for view in console.facilities],
    )
