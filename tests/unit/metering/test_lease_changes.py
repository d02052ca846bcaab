"""Changes of a lease by a route: another price, another end, and nothing else."""

from dataclasses import replace

import pytest

from api.domain.hashing import keccak
from api.domain.metering.lease import Lease
from api.domain.metering.lease_changes import ended, priced
from api.domain.metering.lease_terms import (
    FOREVER_S,
    CommitmentStep,
    PriceStep,
    SlaStep,
    TermsVersion,
    check_terms_version,
)
from api.domain.units import ZERO32
from api.errors import InvalidInput
from api.ledger.leases import ends_at

FIRST = TermsVersion(1, ZERO32, keccak(b"party"), 100, prices=(PriceStep(100, 20),))


def _lease(terms: TermsVersion = FIRST) -> Lease:
    return Lease(keccak(b"lease"), (terms,))


def _with(lease: Lease, *versions: TermsVersion) -> Lease:
    for terms in versions:
        check_terms_version(terms)
        lease = lease.followed_by(terms)
    return lease


def _prices(lease: Lease) -> list[tuple[int, int, int]]:
    return [(s.start_s, s.end_s, s.weight // 144) for s in lease.stretches]


def test_ended__once__has_that_end() -> None:
    lease = _lease()
    closed = _with(lease, ended(lease, 300))

    assert ends_at(lease) is None
    assert ends_at(closed) == 300
    assert closed.running == [(100, 300)]


@pytest.mark.parametrize("again", [100, 200, 400, 1_000])
def test_ended__again_at_another_time__ends_then(again: int) -> None:
    steps = PriceStep(100, 20), PriceStep(350, 30)
    lease = _lease(replace(FIRST, prices=steps, commitment=(CommitmentStep(100, 2),)))
    closed = _with(lease, ended(lease, 300))

    renewed = _with(closed, ended(closed, again))

    assert ends_at(renewed) == again
    assert renewed.running == ([] if again == 100 else [(100, again)])
    if again > 350:
        # What was agreed for the time behind the first end counts there.
        assert _prices(renewed)[-1] == (350, again, 30)
        assert renewed.stretches[-1].committed == 2


def test_priced__for_the_past_of_a_closed_lease__keeps_its_end() -> None:
    lease = _lease()
    closed = _with(lease, ended(lease, 300))

    right = _with(closed, *priced(closed, PriceStep(150, 2)))

    assert _prices(right) == [(100, 150, 20), (150, 300, 2)]
    assert ends_at(right) == 300


def test_priced__before_later_terms__changes_nothing_else_of_them() -> None:
    sla = (SlaStep(1_000, 5_000),)
    lease = _lease()
    lease = _with(lease, replace(ended(lease, 200), until_s=None, sla=sla, max_gpus=7))

    right = _with(lease, *priced(lease, PriceStep(150, 2)))

    assert _prices(right) == [(100, 150, 20), (150, 200, 2), (200, FOREVER_S, 2)]
    assert [(s.terms.sla, s.terms.max_gpus) for s in right.stretches] == [
        ((), 0),
        ((), 0),
        (sla, 7),
    ]


def test_priced__as_it_is_already__is_nothing_new() -> None:
    lease = _lease()
    right = _with(lease, *priced(lease, PriceStep(100, 2)))

    assert priced(right, PriceStep(100, 2)) == ()
    assert priced(right, PriceStep(500, 16, 8)) == ()
    assert len(priced(right, PriceStep(100, 3))) == 1


def test_priced__before_the_lease_begins__is_refused() -> None:
    with pytest.raises(InvalidInput, match="begins later"):
        priced(_lease(), PriceStep(99, 2))
