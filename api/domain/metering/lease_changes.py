"""Changes of a lease as versions of its terms: another end, another price, and nothing else."""

from dataclasses import replace

from api.domain.metering.lease import Lease, in_force
from api.domain.metering.lease_terms import CommitmentStep, PriceStep, TermsVersion, terms_hash
from api.errors import InvalidInput


def ended(lease: Lease, at_s: int) -> TermsVersion:
    """The next version: the lease ends at an instant, before or behind the end of now."""
    if at_s <= lease.ends_s:
        return _next(lease, lease.at(at_s) or lease.versions[0], at_s, until_s=at_s)
    # It goes on from its end, by the terms under which it ran until then.
    last = lease.stretches[-1].terms if lease.stretches else lease.versions[-1]
    return _next(lease, last, lease.ends_s, until_s=at_s)


def priced(lease: Lease, price: PriceStep) -> tuple[TermsVersion, ...]:
    """The next versions: this price from its instant on, and all else as it is agreed.

    One more for every version that would be in force later: it says the same at the price. Nothing
    where the price is this one already. Raises InvalidInput before the lease begins.
    """
    if price.from_s < min(terms.from_s for terms in lease.versions):
        raise InvalidInput("effective_from: the lease begins later", field="effective_from")
    if all(s.weight == price.weight for s in lease.stretches if s.end_s > price.from_s):
        return ()
    after = lease
    last: TermsVersion | None = None
    for from_s in sorted({price.from_s, *(terms.from_s for terms in lease.versions)}):
        ruling = lease.at(from_s)
        if from_s < price.from_s or ruling is None or ruling is last:
            continue
        last = ruling
        step = replace(price, from_s=from_s)
        after = after.followed_by(_next(after, ruling, from_s, prices=(step,)))
    return after.versions[len(lease.versions) :]


def _next(
    lease: Lease,
    terms: TermsVersion,
    from_s: int,
    *,
    until_s: int | None = None,
    prices: tuple[PriceStep, ...] | None = None,
) -> TermsVersion:
    """The next version of a lease: what one of them says, from an instant on."""
    if prices is None:
        before = [step for step in terms.prices if step.from_s <= from_s]
        first = (replace(before[-1], from_s=from_s),) if before else ()
        prices = (*first, *(step for step in terms.prices if step.from_s > from_s))
    committed = in_force([(c.from_s, c.gpus) for c in terms.commitment], from_s)
    later = tuple(step for step in terms.commitment if step.from_s > from_s)
    return replace(
        terms,
        version=lease.versions[-1].version + 1,
        previous=terms_hash(lease.lease, lease.versions[-1]),
        from_s=from_s,
        until_s=terms.until_s if until_s is None else until_s,
        prices=prices,
        commitment=(CommitmentStep(from_s, committed), *later) if terms.commitment else (),
    )
