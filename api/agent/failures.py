"""What can fail in the agent, as one tree below `AppError`."""

from api.errors import AppError


class SourceFailed(AppError):
    """A source could not be read this time; it is tried again."""

    status = 503
    code = "agent_source"


class SpoolFailed(AppError):
    """The spool cannot be written, most likely for want of room. Nothing of the step was kept."""

    status = 507
    code = "agent_spool"


class Unreachable(AppError):
    """The service did not answer, or not now. `retry_after_s` is what it asked for, or 0."""

    status = 503
    code = "agent_service"

    def __init__(self, message: str, *, retry_after_s: int = 0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class NotAdmitted(AppError):
    """The service does not take the key: nothing is lost, and somebody must look."""

    status = 401
    code = "agent_key"


class LogRefused(NotAdmitted):
    """The log is not what it was, or a receipt does not hold: nothing counts as sent."""

    code = "agent_log"


class KeyNotKnown(NotAdmitted):
    """The log does not know the key: it was not brought, or the log lost its entry."""


class LogLacks(Unreachable):
    """The log lacks entries that it had: whoever has them gives them back."""


class LogCut(LogRefused):
    """The log ends before a receipt that we have."""


class BodyRefused(AppError):
    """The service condemns a body as a whole."""

    status = 422
    code = "agent_body"


class AgentBroken(AppError):
    """A part of the agent failed in a way that nobody foresaw."""

    status = 500
    code = "agent_broken"


class Behind(AppError):
    """A request was signed behind another receipt than the key's newest, which the answer has."""

    status = 409
    code = "agent_behind"

    def __init__(self, message: str, receipt: bytes) -> None:
        super().__init__(message)
        self.receipt = receipt
