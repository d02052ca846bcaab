"""Whatever a service tells otherwise of names: it is refused, or other statements follow."""

import random
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from api.domain.metering.names import ToldLease
from api.domain.statements.closing import ClosedEpoch
from api.domain.statements.recompute import RawInput, Recomputation
from api.domain.units import ZERO32, Bytes32
from api.errors import EvidenceInvalid
from tests.ledgers import LEASES, Ledger, closed_books, facility, periods
from tests.logs import secret_names, told_leases


def _lie(dice: random.Random, told: list[ToldLease]) -> list[ToldLease]:
    """One thing of one lease is another: made up, none, another lease's; or it is left out."""
    at = dice.randrange(len(told))
    other = dice.choice([t for t in told if t.lease_id != told[at].lease_id])
    field = dice.choice(("secret", "party"))
    value = dice.choice((Bytes32(dice.randbytes(32)), ZERO32, getattr(other, field)))
    lies = [
        [*told[:at], *told[at + 1 :]],
        [*told[:at], replace(told[at], **{field: value}), *told[at + 1 :]],
        [*told[:at], replace(told[at], lease_id=told[at].lease_id + "\N{ZERO WIDTH SPACE}")],
    ]
    return dice.choice(lies)


def _read(ledger: Ledger, told: list[ToldLease]) -> list[ClosedEpoch] | str:
    """All statements by what was told, or why none follows."""
    raw = RawInput(ledger.terms.grace_s, named=ledger.named, leases=told)
    try:
        rebuilt = Recomputation(ledger.terms, raw)
        rebuilt.read(ledger.entries)
    except EvidenceInvalid as error:
        return error.message
    return [rebuilt.close(period) for period in periods(ledger.terms)]


@settings(max_examples=40)
@given(st.integers(0, 2**32))
def test_recompute__one_lie_about_a_name__gives_no_statement_of_the_service(seed: int) -> None:
    """ATTACKS 48: in each statement that tells of it, and so, by its hash, in all behind."""
    terms = facility()
    ledger = Ledger(seed, terms)
    closed = closed_books(ledger)
    told = told_leases(secret_names(terms), ledger.entries)
    lied = _lie(random.Random(seed), told)

    honest, deceived = _read(ledger, told), _read(ledger, lied)

    assert isinstance(honest, list)
    assert [each.statement for each in honest] == [each.statement for each in closed]
    if isinstance(deceived, str):
        # What is refused is told in public, and names nobody.
        assert "lease" in deceived or "renter" in deceived
        assert not any(code in deceived for code in LEASES)
    elif sorted(map(str, lied)) != sorted(map(str, told)):
        assert all(
            ours.statement != theirs.statement
            for ours, theirs in zip(deceived, closed, strict=True)
        )
