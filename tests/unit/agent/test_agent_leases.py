"""The table of leases: the first row that fits counts, and nothing is guessed."""

import pytest

from api.agent.leases import Holder, LeaseRow, LeaseTable

TABLE = LeaseTable(
    [
        LeaseRow("-", user="root"),
        LeaseRow("lease-1", source="slurm", account="physics", partition="h100"),
        LeaseRow("lease-2", account="physics"),
        LeaseRow("lease-3", namespace="team", labels={"tenant": "acme", "tier": "gold"}),
    ]
)


@pytest.mark.parametrize(
    ("holder", "source", "lease"),
    [
        (Holder(account="physics", user="root"), "slurm", "-"),
        (Holder(account="physics", partition="h100"), "slurm", "lease-1"),
        (Holder(account="physics", partition="h100"), "csv", "lease-2"),
        (Holder(account="physics", partition="a100"), "slurm", "lease-2"),
        (Holder(account="Physics"), "slurm", None),
        (Holder(namespace="team", labels={"tenant": "acme"}), "kubernetes", None),
        (
            Holder(namespace="team", labels={"tenant": "acme", "tier": "gold", "x": "y"}),
            "kubernetes",
            "lease-3",
        ),
        (Holder(), "slurm", None),
    ],
)
def test_lease__of_a_holder__is_that_of_the_first_row_that_fits(
    holder: Holder, source: str, lease: str | None
) -> None:
    assert TABLE.lease_of(holder, source=source) == lease


def test_labels__that_no_row_asks_for__are_not_kept() -> None:
    assert TABLE.label_names() == {"tenant", "tier"}


def test_holder__is_shown__in_one_line() -> None:
    holder = Holder(account="physics", labels={"tenant": "acme"})

    assert holder.shown() == "account=physics tenant=acme"
    assert Holder().shown() == "nothing known of the holder"
