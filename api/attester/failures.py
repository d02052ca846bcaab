"""What can fail in an attester, as one tree below `AppError`."""

from collections.abc import Callable
from functools import wraps
from inspect import isfunction
from typing import ParamSpec, TypeVar

from api.errors import AppError, ChainUnavailable, EvidenceInvalid

C = TypeVar("C", bound=type)
P = ParamSpec("P")
T = TypeVar("T")


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


class ServiceAway(AppError):
    """The service does not answer, or not now: it is asked again."""

    status = 503
    code = "attester_service"


class ServiceUnreadable(ServiceAway):
    """What answers is no Rentroll, or somebody between it and us: says nothing of a statement."""

    code = "attester_service_unreadable"


class ServiceRefused(AppError):
    """The service says no. `context["status"]` is its HTTP status."""

    status = 409
    code = "attester_service_refused"


def of_node(asking: C) -> C:
    """Declare a class that asks a node: what its methods raise beside AppErrors, a null or a text
    where a number should be, is the node's fault, and never the statement's."""
    for name, method in vars(asking).items():
        if isfunction(method) and not name.startswith("_"):
            setattr(asking, name, _asked(method))
    return asking


def _asked(method: Callable[P, T]) -> Callable[P, T]:
    @wraps(method)
    def asked(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return method(*args, **kwargs)
        except AppError:
            raise
        except Exception as error:
            message = f"the node answers what no node would: {error!r}"[:400]
            raise ChainUnavailable(message) from error

    return asked
