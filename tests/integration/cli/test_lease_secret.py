"""`rentroll lease secret` against the real service."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from api.access.key_book import Account, Maker, NewKey, make_key
from api.access.keys import COMMAND_LINE
from api.access.scopes import SCOPES, Role, Scope
from api.cli.commands import app
from api.db.session import transaction
from api.domain.metering.names import lease_hash, party_hash
from api.domain.units import Bytes32, FacilityId
from tests.factories import START_S, Ledger
from tests.integration.service import change_service, make_app, serving

Run = Callable[..., Result]


@pytest.fixture
def run(
    database_url: str, ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Run]:
    """Runs `rentroll lease secret` about the ledger's facility, with its operator's key."""
    application = make_app(database_url, tmp_path)
    change_service(application, clock=ledger.clock)
    monkeypatch.setenv("RENTROLL_OPERATOR_KEY", ledger.api_key)
    with serving(application) as port:

        def call(*arguments: str, code: int = 0) -> Result:
            about = ["lease", "secret", str(ledger.facility_id), *arguments]
            url = ["--api-url", f"http://127.0.0.1:{port}"]
            result = CliRunner().invoke(app, [*about, *url])
            assert result.exit_code == code, result.output
            return result

        yield call


def _bytes(text: object) -> Bytes32:
    return Bytes32(bytes.fromhex(str(text)[2:]))


@pytest.mark.parametrize("lease", ["lease-a", "a/../b?x=1&lease=lease-a#", "Miete é/secret %2F"])
def test_secret__of_a_lease__is_of_that_lease(run: Run, ledger: Ledger, lease: str) -> None:
    if lease != "lease-a":
        ledger.add_lease(lease)

    found = json.loads(run(lease, "--json").stdout)

    facility = FacilityId(ledger.facility_id)
    assert found["name"] == lease
    assert lease_hash(facility, lease, secret=_bytes(found["secret"])) == _bytes(found["hash"])


def test_secret__of_its_renter__is_of_all_its_leases(run: Run, ledger: Ledger) -> None:
    ledger.add_lease("other", renter_ref="Renter of LEASE-A")

    one, two = (json.loads(run(x, "--renter", "--json").stdout) for x in ("lease-a", "other"))

    assert one == two
    hashed = party_hash(
        FacilityId(ledger.facility_id), "renter-of-lease-a", secret=_bytes(one["secret"])
    )
    assert (one["name"], _bytes(one["hash"])) == ("renter-of-lease-a", hashed)


def test_secret__for_people__says_what_to_do_with_it(run: Run) -> None:
    shown = run("lease-a").output

    assert "secret  0x" in shown
    assert "--lease NAME --secret SECRET" in shown
    assert "--renter NAME --secret SECRET" in run("lease-a", "--renter").output


def test_secret__of_no_lease__is_said(run: Run) -> None:
    assert "no lease 'nobody'" in run("nobody", code=1).output


def test_secret__with_a_key_that_only_reads__is_refused(
    run: Run, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A secret proves a name to anybody, for ever: that is more than reading it."""
    account = Account(Role.OPERATOR, ledger.operator_id)
    scopes = SCOPES[Role.OPERATOR] - {Scope.LEDGER_WRITE}
    with transaction(ledger.engine) as connection:
        new = NewKey(account, "reader", scopes, None)
        made = make_key(connection, new, by=Maker(COMMAND_LINE, None), now_s=START_S)
    monkeypatch.setenv("RENTROLL_OPERATOR_KEY", made.text)

    for options in ((), ("--renter",)):
        assert "ledger:write" in run("lease-a", *options, code=1).output
