"""What an author of a log knows, and an attester does not: its receipts."""

from dataclasses import replace
from typing import Any

import pytest

from api.domain.log.bodies import pack
from api.domain.log.entry import Entry
from api.domain.log.logged import LoggedEntry
from api.domain.log.receipts import Receipt, receipt_of
from api.domain.log.signers import only
from api.errors import EvidenceInvalid
from api.local.key_file import load_or_make_key
from api.verify.findings import Finding
from api.verify.receipts import ReceiptVerifier, ShownReceipt
from tests.factories import DAY_S, HOUR_S
from tests.lying_service import Lie, Site, change_events, signed_site
from tests.world import World

pytestmark = pytest.mark.chain


@pytest.fixture
def site(world: World) -> Site:
    """A statement that is closed and not attested yet."""
    return signed_site(world)


def _tail_dropped(site: Site, lie: Lie) -> None:
    del lie.told[lie.named(site.rack, last=True) :]


def _tail_recorded_later(site: Site, lie: Lie) -> None:
    """So late that the next statement takes it."""
    lie.told[-1].recorded_at_s += HOUR_S


def _tail_unsigned(site: Site, lie: Lie) -> None:
    """The last entry is no author's any more, and says another hour."""
    told = lie.told[-1]
    told.request = None

    def longer(event: dict[str, Any]) -> None:
        event["data"] |= {"end": "2026-01-01T02:00:00Z", "gpu_seconds": 2 * HOUR_S}

    change_events(told, longer)


TAILS = {
    "dropped": (_tail_dropped, "receipt_omitted"),
    "recorded later": (_tail_recorded_later, "receipt_fork"),
    "unsigned and another": (_tail_unsigned, "receipt_fork"),
}


def _judged(site: Site, log: list[LoggedEntry], *receipts: Receipt) -> list[tuple[str, str | None]]:
    """Codes and files of what receipts prove of a log that is published whole."""
    shown = [ShownReceipt(each, f"{n}.json") for n, each in enumerate(receipts)]
    verifier, found = ReceiptVerifier(shown), list[Finding]()
    entries = [logged.entry for logged in log]
    verifier.of(site.world.facility_id).note(entries, cut_s=entries[-1].recorded_at_s + DAY_S)
    known = {site.terms.log: only(site.terms.log_key)}
    verifier.check(known, report=found.append, warn=lambda _: None)
    return [(each.code, each.file) for each in found]


def test_author__of_an_honest_log__has_its_receipts_in_it(site: Site) -> None:
    for author in (site.operator, site.rack, site.other):
        assert _judged(site, site.log(), *author.receipts) == []


@pytest.mark.parametrize("case", TAILS)
def test_author__of_a_log_that_ends_otherwise__knows_by_its_receipt(site: Site, case: str) -> None:
    """Behind its authors' newest entries a log may go on in any way: no later one names them. An
    attester refuses since the evidence is of the true log; were that a lie too, receipts say so."""
    lie, code = TAILS[case]

    verdict = site.verdict(lie)
    found = _judged(site, site.made(lie, site.log()), *site.rack.receipts)

    assert "is not what the events give" in str(verdict.reason)
    assert found == [(code, f"{len(site.rack.receipts) - 1}.json")]


def test_two_authors__given_two_logs__prove_it_by_their_receipts(site: Site) -> None:
    """The service gives each of two collectors an entry of one number: the second is another than
    the first's, and than the log's."""
    newest = site.rack.receipts[-1]
    forked = _receipt(site, replace(newest.entry, author=site.other.public), newest)

    assert _judged(site, site.log(), newest, forked) == [("receipt_fork", "1.json")] * 2


def _receipt(site: Site, entry: Entry, like: Receipt) -> Receipt:
    """Another receipt by the log's own key."""
    logged = LoggedEntry(entry, like.blind, pack(b""), like.answers)
    return receipt_of(logged, load_or_make_key(site.world.folder / "log-key.pem"))


def test_receipt__of_another_body__is_refused_by_its_author(site: Site) -> None:
    [first, *_] = site.rack.receipts

    with pytest.raises(EvidenceInvalid, match="another body"):
        first.require_of(b"[]")
