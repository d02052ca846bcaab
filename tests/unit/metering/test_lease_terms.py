"""Terms of a lease: what is refused, and what is in force when."""

from dataclasses import replace

import pytest

from api.domain.hashing import keccak
from api.domain.metering.lease import Lease
from api.domain.metering.lease_terms import (
    FOREVER_S,
    CommitmentStep,
    FixedItem,
    PriceStep,
    SlaStep,
    TermsVersion,
    TierStep,
    check_terms_version,
    terms_hash,
)
from api.domain.units import ZERO32
from api.errors import InvalidInput

FIRST = TermsVersion(1, ZERO32, keccak(b"party"), 100, prices=(PriceStep(100, 7),))
DEAR = 10**12 + 1
LEASE = keccak(b"lease")


def _lease(*versions: TermsVersion) -> Lease:
    """Versions in order, each naming the one before."""
    lease = Lease(LEASE, versions[:1])
    for terms in versions[1:]:
        previous = terms_hash(LEASE, lease.versions[-1])
        lease = lease.followed_by(replace(terms, previous=previous))
    return lease


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("version", {"version": 0}),
        ("until", {"until_s": 99}),
        ("max_gpus", {"max_gpus": -1}),
        ("max_gpus", {"max_gpus": 1_000_001}),
        ("prices", {"prices": (PriceStep(101, 7),)}),
        ("prices", {"prices": (PriceStep(100, 7), PriceStep(100, 8))}),
        ("prices", {"prices": (PriceStep(100, 7, 5),)}),
        ("prices", {"prices": (PriceStep(100, 7, 0),)}),
        ("prices", {"prices": (PriceStep(100, -1),)}),
        ("prices", {"prices": (PriceStep(100, DEAR),)}),
        ("prices", {"prices": tuple(PriceStep(100 + i, 1) for i in range(101))}),
        ("commitment", {"commitment": (CommitmentStep(100, -1),)}),
        ("commitment", {"commitment": (CommitmentStep(99, 1),)}),
        ("tiers", {"tiers": (TierStep(5, 1), TierStep(5, 2))}),
        ("tiers", {"tiers": (TierStep(-1, 1),)}),
        ("tiers", {"tiers": (TierStep(1, 10_001),)}),
        ("hours_before", {"hours_before": -1}),
        ("sla", {"sla": (SlaStep(5, 1), SlaStep(4, 2))}),
        ("sla", {"sla": (SlaStep(10**6, 1),)}),
        ("sla", {"sla": (SlaStep(5, 10_001),)}),
        ("sla_cap", {"sla_cap_bps": 10_001}),
        ("minimum", {"minimum": -1}),
        ("fixed", {"fixed": (FixedItem("a", 100, 1), FixedItem("a", 102, 1))}),
        ("fixed", {"fixed": (FixedItem("a", 100, DEAR),)}),
        ("fixed", {"fixed": (FixedItem("a", 99, 1),)}),
    ],
)
def test_check__terms_that_contradict_themselves__name_the_field(field, changes):
    with pytest.raises(InvalidInput) as refused:
        check_terms_version(replace(FIRST, **changes))

    assert refused.value.context["field"] == field


def test_check__terms_of_all_components__pass():
    check_terms_version(
        replace(
            FIRST,
            until_s=100,
            commitment=(CommitmentStep(100, 8),),
            tiers=(TierStep(0, 0),),
            sla=(SlaStep(0, 10_000),),
            minimum=1,
            fixed=(FixedItem("a", 100, -1),),
        )
    )


def test_lease__version_that_names_another_before_it__is_refused():
    with pytest.raises(InvalidInput, match="not the hash of the version before"):
        Lease(keccak(b"lease"), (FIRST,)).followed_by(replace(FIRST, version=2))


def test_lease__price_put_right__counts_from_where_the_wrong_one_began():
    lease = _lease(
        FIRST,
        replace(FIRST, version=2, from_s=200, prices=(PriceStep(200, 9),)),
        replace(FIRST, version=3, from_s=150, prices=(PriceStep(150, 8),)),
    )

    stretches = [(s.start_s, s.end_s, s.weight // 144) for s in lease.stretches]

    assert stretches == [(100, 150, 7), (150, FOREVER_S, 8)]


def test_lease__ended_and_renewed__runs_with_a_gap():
    lease = _lease(
        replace(FIRST, until_s=300),
        replace(FIRST, version=2, from_s=200, until_s=200),
        replace(FIRST, version=3, from_s=250, until_s=None),
    )

    assert lease.running == [(100, 200), (250, FOREVER_S)]
    assert [lease.runs_at(t) for t in (99, 100, 199, 200, 249, 250)] == [
        *(False, True, True),
        *(False, False, True),
    ]


def test_lease__stretches_in__are_cut_to_the_span():
    steps = CommitmentStep(100, 1), CommitmentStep(200, 2), CommitmentStep(300, 2)
    lease = Lease(keccak(b"lease"), (replace(FIRST, commitment=steps),))

    cut = [(s.start_s, s.end_s, s.committed) for s in lease.stretches_in(start_s=150, end_s=350)]

    assert cut == [(150, 200, 1), (200, 350, 2)]
    assert list(lease.stretches_in(start_s=0, end_s=100)) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"version": 1}, "version 2 is next"),
        ({"version": 3}, "version 2 is next"),
        ({"party": keccak(b"another")}, "another renter"),
        ({"previous": ZERO32}, "not the hash of the version before"),
    ],
)
def test_lease__version_that_does_not_follow__is_refused(changes, message):
    terms = replace(FIRST, version=2, previous=terms_hash(LEASE, FIRST))

    with pytest.raises(InvalidInput, match=message):
        Lease(LEASE, (FIRST,)).followed_by(replace(terms, **changes))
    assert Lease(LEASE, (FIRST,)).followed_by(terms).versions == (FIRST, terms)
