"""What must hold at the end of a random history: money and time as the reference counts them."""

from collections import defaultdict

from api.domain.metering.usage import LineKind
from api.domain.statements.books import Item
from tests.unit.statements.histories import History
from tests.unit.statements.tick_by_tick import month

COMPONENTS = {
    LineKind.USAGE: "usage",
    LineKind.USAGE_DIFFERENCE: "usage",
    LineKind.TIER_DIFFERENCE: "tier",
    LineKind.SHORTFALL_DIFFERENCE: "shortfall",
    LineKind.MINIMUM_DIFFERENCE: "minimum",
    LineKind.SLA_DIFFERENCE: "sla",
}


def stated_money(items):
    """{(lease, month or name, component): amount} of lines."""
    found = defaultdict(int)
    for item in items:
        if item.kind in COMPONENTS:
            found[item.lease, month(item.start_s), COMPONENTS[item.kind]] += item.charge
        elif item.charge:
            found[item.lease, item.kind.name, item.subject] += item.charge
    return {k: v for k, v in found.items() if v}


def owed_money(reference):
    """The same of what is owed; fixed items and adjustments by lease alone."""
    return {k: v for k, v in reference.owed().items() if v}


def check(history: History) -> None:
    """All that must hold at the end of a history."""
    items: list[Item] = [i for _, stated in history.stated for i in stated.items]
    if not history.stated:
        return
    for period, stated in history.stated:
        assert list(stated.items) == sorted(stated.items)
        if not period.closing:
            assert sum(i.charge for i in stated.items) >= 0
        assert 0 <= stated.top_renter_bps <= 10_000
        assert 0 <= stated.committed_bps <= 10_000
        most_s = 0 if period.closing else history.terms.capacity_gpu_seconds()
        assert 0 <= stated.available_s <= most_s
    owed = owed_money(history.reference)
    by_month = {k: v for k, v in owed.items() if k[1] not in ("fixed", "adjusted")}
    stated = stated_money(items)
    assert {k: v for k, v in stated.items() if isinstance(k[1], tuple)} == by_month
    for kind, name in (("FIXED_DIFFERENCE", "fixed"), ("ADJUSTMENT_DIFFERENCE", "adjusted")):
        for lease in history.leases:
            ours = sum(v for k, v in stated.items() if k[0] == lease and k[1] == kind)
            assert ours == sum(v for k, v in owed.items() if k[0] == lease and k[1] == name)
    check_time(history, items)


def check_time(history: History, items) -> None:
    """Every device-second that a lease holds is in one line, net of voids."""
    tick = history.scale.tick
    net = defaultdict(int)
    for item in items:
        delivery = item.kind in (LineKind.DELIVERY, LineKind.LATE_DELIVERY)
        sign = -1 if item.kind is LineKind.VOID else 1
        if item.kind <= LineKind.VOID:
            for t in range(item.start_s, item.end_s, tick):
                net[item.subject, t, item.lease, delivery] += sign
    uses = history.reference.uses()
    assert {k for k, n in net.items() if n} == {(d, t, *use) for (d, t), use in uses.items()}
    assert set(net.values()) <= {0, 1}
    available = sum(s.available_s + s.available_adjustment_s for _, s in history.stated)
    assert available == history.reference.available()
