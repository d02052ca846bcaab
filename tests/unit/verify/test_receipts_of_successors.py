"""Receipts by keys that follow the log's first: which hold, and what proves a fork."""

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from api.domain.log.answers import ACCEPTED
from api.domain.log.entry import EntryKind
from api.domain.log.keys import successor_body
from api.domain.log.logged import LoggedEntry, entry_document
from api.domain.log.receipts import Receipt, SignedEntry, receipt_of
from api.domain.log.signers import LogSigner, LogSigners
from api.errors import EvidenceInvalid
from api.verify.findings import Findings
from api.verify.receipt_files import read_receipts
from api.verify.receipts import ReceiptVerifier, ShownReceipt
from tests.signed_logs import SignedLog, Signer
from tests.unit.values import TERMS as PLAIN

FIRST, SECOND, THIRD = Signer("first"), Signer("second"), Signer("third")
TERMS = replace(PLAIN, log_key=FIRST.public)
AT_S = TERMS.window_start_s


def _log(*, before: int, new: Signer = SECOND) -> SignedLog:
    """A log of some entries, and the one by which FIRST names its successor."""
    log, rack = SignedLog(TERMS), Signer("rack")
    for at_s in range(before):
        log.events(rack, [{}], [ACCEPTED], at_s=AT_S + at_s)
    log.add(Signer("first"), EntryKind.SUCCESSOR, successor_body(new.public), at_s=AT_S + before)
    log.events(rack, [{}], [ACCEPTED], at_s=AT_S + before)
    return log


def _judged(
    log: SignedLog, shown: Iterable[Receipt | SignedEntry | LoggedEntry], *, size: int | None = None
) -> tuple[list[str], list[str]]:
    """Codes of findings and warnings; size: entries that are published."""
    published = [x.entry for x in log.entries][:size]
    named = next((e.number for e in published if e.kind is EntryKind.SUCCESSOR), None)
    signers = LogSigners((LogSigner(FIRST.public, named),))
    if named is not None:
        signers = LogSigners((*signers, LogSigner(SECOND.public)))
    files = [ShownReceipt(each, f"r{n}.json") for n, each in enumerate(shown)]
    verifier, findings, warnings = ReceiptVerifier(files), Findings(), Findings()
    cut_s = published[-1].recorded_at_s + 1
    verifier.of(TERMS.facility_id).note(published, cut_s=cut_s)
    verifier.check({TERMS.log: signers}, report=findings.of(""), warn=warnings.of(""))
    codes = ([f.code for f in findings.found], [w.code for w in warnings.found])
    return codes[0], [code for code in codes[1] if code != "receipt_lacking"]


def test_receipts__by_the_key_of_then__hold() -> None:
    log = _log(before=2)

    shown = [receipt_of(x, k.key) for x, k in zip(log.entries, [FIRST] * 3 + [SECOND], strict=True)]

    assert _judged(log, shown) == ([], [])
    assert _judged(log, [receipt_of(log.entries[0], SECOND.key)]) == ([], [])


def test_receipt__behind_the_end_of_its_key__proves_a_fork() -> None:
    """ATTACKS: a service names a successor early in a log that it writes anew, so that what its
    first key signed behind that would count for nothing."""
    honest, rewritten = _log(before=3), _log(before=1)

    shown = receipt_of(honest.entries[2], FIRST.key)

    assert _judged(rewritten, [shown]) == (["receipt_fork", "receipt_fork"], [])
    ahead = replace(shown, entry=replace(shown.entry, number=9, recorded_at_s=AT_S + 99))
    again = receipt_of(replace(honest.entries[2], entry=ahead.entry), FIRST.key)
    assert _judged(rewritten, [again]) == (["receipt_fork"], ["receipt_newer"])


def test_receipt__by_a_key_that_is_not_published_yet__waits_where_it_may() -> None:
    """Of an entry that statements have, a stranger's signature is none."""
    log = _log(before=2)

    newest, old = (receipt_of(log.entries[i], SECOND.key) for i in (3, 0))

    assert _judged(log, [newest], size=2) == ([], ["receipt_key_newer"])
    assert _judged(log, [old], size=2) == (["receipt_signature"], [])


def test_successors__two_of_one_key__are_a_fork() -> None:
    """ATTACKS: the service names one to some, and another to others."""
    log, other = _log(before=2), _log(before=4, new=THIRD)

    assert _judged(log, [log.entries[2]]) == ([], [])
    assert _judged(log, [other.entries[4]]) == (["receipt_fork"], [])
    # Nothing is published of it yet; or a ledger key named it, which the log alone can judge.
    assert _judged(log, [other.entries[4]], size=2) == ([], [])
    assert _judged(log, [other.entries[0]]) == ([], [])


def test_successor__that_its_key_did_not_sign__is_no_proof() -> None:
    log, other = _log(before=2), _log(before=4, new=THIRD)
    forged = replace(other.entries[4], packed=log.entries[2].packed)

    assert _judged(log, [forged]) == (["receipt_signature"], [])


def test_file__of_what_a_service_says_of_a_log__is_read(tmp_path: Path) -> None:
    """`curl …/v1/facilities/7/log`, kept by somebody."""
    logged, file = _log(before=1).entries[1], tmp_path / "log.json"
    file.write_text(json.dumps({"log": "1", "successors": [entry_document(logged)]}))

    [shown] = read_receipts(file)

    assert (shown.receipt, shown.file) == (logged, str(file))
    file.write_text(json.dumps({"successors": [{"entry": "0x"}]}))
    with pytest.raises(EvidenceInvalid, match=r"log\.json"):
        read_receipts(file)
