"""What can fail in an attester, as one tree below `AppError`."""

from api.errors import AppError, EvidenceInvalid


class NotYet(AppError):
    """It cannot be judged now: it takes records still, or something does not answer.

    Never a refusal: what is judged later may be fine.
    """

    status = 409
    code = "attester_not_yet"


class BeforeMemory(AppError):
    """This attester does not know what it signed of an epoch, and so signs nothing of it."""

    status = 409
    code = "attester_before_memory"


class MemoryContradicted(EvidenceInvalid):
    """What is shown contradicts what this attester signed or saw before."""

    code = "attester_memory"
