"""Payments: which bills of a lease its rent has paid, the oldest first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from api.domain.units import Minor


@dataclass(frozen=True, slots=True)
class Billed:
    """A document of one lease: a bill or debit note, or below zero a credit note."""

    number: int
    month: int
    amount: Minor


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of one document. credited + paid + open is what it asks for."""

    credited: Minor
    paid: Minor
    open: Minor


@dataclass(frozen=True, slots=True)
class Allocation:
    """Every document of a lease by its number, and what no document takes.

    prepaid_left: of the rent.  credit_left: of credit notes.
    """

    of: Mapping[int, Settlement]
    prepaid_left: Minor
    credit_left: Minor


def allocate(documents: Sequence[Billed], *, paid: Minor) -> Allocation:
    """Let credits and rent of one lease pay its documents.

    A credit note lowers first what was billed for its own month, then the oldest that is open; rent
    pays what is left, the oldest first. Nothing is rounded.
    Args:    documents: in order of their numbers.  paid: rent under the lease, less what went back.
    Returns: sums that meet: asked for = credited + paid + open, credits = credited + credit_left,
             rent = paid + prepaid_left.
    """
    asked = {each.number: max(0, each.amount) for each in documents}
    credited = dict.fromkeys(asked, 0)
    left = 0
    for month in dict.fromkeys(each.month for each in documents):
        of_month = [each for each in documents if each.month == month]
        credit = -sum(each.amount for each in of_month if each.amount < 0)
        for each in of_month:
            taken = min(credit, asked[each.number])
            credited[each.number] = taken
            credit -= taken
        left += credit
    rent = max(0, paid)
    settled: dict[int, Settlement] = {}
    for number, amount in asked.items():
        more = min(left, amount - credited[number])
        left -= more
        credit = credited[number] + more
        by_rent = min(rent, amount - credit)
        rent -= by_rent
        settled[number] = Settlement(
            Minor(credit), Minor(by_rent), Minor(amount - credit - by_rent)
        )
    return Allocation(settled, Minor(rent), Minor(left))
