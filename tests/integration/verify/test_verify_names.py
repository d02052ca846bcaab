"""`rentroll verify --lease`, `--renter`: a name with its secret shows its lines, and no others."""

import json

import pytest
from click.testing import Result
from typer.testing import CliRunner

from api.cli.commands import app
from api.domain.metering.names import SecretNames
from api.domain.units import Bytes32, FacilityId, OperatorId
from api.errors import InvalidInput
from api.ledger.names import NameSecret, lease_secret, party_secret
from api.verify.names import ShownName
from examples import verifier as second_verifier
from tests.factories import DAY_S, HOUR_S
from tests.world import World

pytestmark = pytest.mark.chain


@pytest.fixture
def rented(world: World) -> World:
    """Two leases of `north`, one of somebody else, and one that was never used; two statements."""
    ledger = world.ledger
    world.at(DAY_S)
    ledger.add_lease("lease-c", renter_ref="North Ltd.")
    ledger.add_lease("lease-d", renter_ref="north-ltd")
    used = [ledger.usage(i, 0, HOUR_S, lease=f"lease-{x}") for i, x in enumerate("acd")]
    assert ledger.codes(*used) == ["accepted"] * 3
    world.post(0)
    world.at(2 * DAY_S)
    late = ledger.usage(1, 2 * HOUR_S, 3 * HOUR_S, lease="lease-c")
    now = ledger.usage(1, DAY_S, DAY_S + 2 * HOUR_S, lease="lease-c")
    assert ledger.codes(late, now) == ["accepted"] * 2
    world.post(1)
    return world


def _secret(world: World, lease: str, *, renter: bool = False) -> NameSecret:
    of = party_secret if renter else lease_secret
    facility_id = FacilityId(world.facility_id)
    return of(world.engine, OperatorId(world.ledger.operator_id), facility_id, lease)


def _run(world: World, *options: str) -> Result:
    about = ["verify", world.chain.rpc_url, str(world.evidence.root), "--any-age"]
    return CliRunner().invoke(app, [*about, *options], env={"COLUMNS": "200"})


def _named(world: World, option: str, name: str, secret: Bytes32) -> list[dict[str, object]]:
    result = _run(world, option, name, "--secret", "0x" + secret.hex(), "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout.splitlines()[-1])["named"]
    assert isinstance(found, list)
    return found


def test_verify__lease_with_its_secret__shows_its_lines_and_money(rented: World) -> None:
    [found] = _named(rented, "--lease", "lease-c", _secret(rented, "lease-c").secret)

    assert found["facility_id"] == rented.facility_id
    assert found["leases"] == ["0x" + _secret(rented, "lease-c").hash.hex()]
    lines = found["lines"]
    assert isinstance(lines, list)
    assert [(x["epoch"], x["kind"], x["gpu_seconds"], x["charge_micros"]) for x in lines] == [
        (0, "usage", HOUR_S, 1_000_000),
        (1, "usage", 2 * HOUR_S, 2_000_000),
        (1, "late", 0, 0),
        (1, "usage_difference", 0, 1_000_000),
    ]
    assert (found["gpu_seconds"], found["charge_micros"]) == (3 * HOUR_S, 4_000_000)


def test_verify__renter_with_its_secret__shows_all_its_leases_and_no_others(rented: World) -> None:
    """However the reference is written."""
    secret = _secret(rented, "lease-c", renter=True).secret

    one, two = (_named(rented, "--renter", name, secret) for name in ("NORTH LTD", "north-ltd"))

    assert one == two
    ours = {"0x" + _secret(rented, f"lease-{x}").hash.hex() for x in "cd"}
    assert {*one[0]["leases"]} == ours  # type: ignore[misc]
    assert one[0]["charge_micros"] == 5_000_000


def test_verify__lease_without_a_line__is_known_all_the_same(rented: World) -> None:
    [found] = _named(rented, "--lease", "lease-b", _secret(rented, "lease-b").secret)

    assert (found["lines"], found["charge_micros"]) == ([], 0)


def test_verify__for_people__says_statement_by_statement(rented: World) -> None:
    secret = "0x" + _secret(rented, "lease-c").secret.hex()

    shown = _run(rented, "--lease", "lease-c", "--secret", secret)

    assert shown.exit_code == 0
    rows = [" ".join(row.split()) for row in shown.output.splitlines() if "lines" in row]
    assert rows == [
        "facility 1 4 lines 10,800 GPU-seconds 4.000000",
        "epoch 0 1 lines 3,600 GPU-seconds 1.000000",
        "epoch 1 3 lines 7,200 GPU-seconds 3.000000",
    ]
    assert secret[2:] not in shown.output


def test_verify__secret_that_fits_nothing__is_said(rented: World) -> None:
    """Swapped, guessed, of another facility or written otherwise: nobody is shown lines by it."""
    lease, other = (_secret(rented, f"lease-{x}").secret for x in "cd")
    renter = _secret(rented, "lease-c", renter=True).secret
    forged = SecretNames(FacilityId(rented.facility_id), lease)
    wrong = [
        ("--lease", "lease-c", other),
        ("--lease", "LEASE-C", lease),
        ("--lease", "lease-c ", lease),
        ("--lease", "north-ltd", renter),
        ("--lease", "lease-c", renter),
        ("--renter", "lease-c", lease),
        ("--renter", "renter-of-lease-a", renter),
        ("--renter", "north-ltd", lease),
        ("--lease", "lease-d", forged.lease_secret("lease-d")),
    ]
    for option, name, secret in wrong:
        report = rented.verify(shown=ShownName(name, secret, option == "--renter"))

        assert [f.code for f in report.findings] == ["name_unknown"], (option, name)
        assert report.named == ()
        label = "party" if option == "--renter" else "lease"
        folder = rented.evidence.root / f"facility-{rented.facility_id}"
        assert second_verifier.lines_of(folder, label, name, secret) == []


def test_verify__by_the_second_implementation__shows_the_same_lines(
    rented: World, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = _secret(rented, "lease-c", renter=True).secret
    [ours] = _named(rented, "--renter", "North Ltd.", secret)
    about = [str(rented.evidence.root), rented.chain.rpc_url]

    code = second_verifier.main([*about, "--renter", "North Ltd.", "0x" + secret.hex()])
    theirs = capsys.readouterr().out.splitlines()
    wrong = second_verifier.main([*about, "--lease", "lease-c", "0x" + secret.hex()])

    assert (code, wrong) == (0, 1)
    rows = [row.split(" ")[1].split(",") for row in theirs if row.startswith("epoch-")]
    lines = ours["lines"]
    assert isinstance(lines, list)
    assert [(int(r[0]), r[2], int(r[7])) for r in rows] == [
        (x["index"], x["subject"], x["charge_micros"]) for x in lines
    ]
    assert theirs[-1] == "every statement holds"


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (("--lease", "x"), "go together"),
        (("--secret", "0x" + "00" * 32), "go together"),
        (("--lease", "x", "--renter", "y", "--secret", "0x" + "00" * 32), "not both"),
        (("--lease", "x", "--secret", "0x00"), "64 hex digits"),
    ],
)
def test_verify__half_of_a_name__is_wrong_usage(
    world: World, options: tuple[str, ...], word: str
) -> None:
    result = _run(world, *options)

    assert result.exit_code == 2
    assert word in result.output


def test_verify__name_that_is_no_text__is_refused_before_anything_is_read() -> None:
    with pytest.raises(InvalidInput, match="text"):
        ShownName("\udcff", Bytes32(bytes(32)))
