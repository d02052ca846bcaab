"""Receipts against a published log: forks, omissions, foreign signatures, and how they are kept."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from api.domain.log.answers import ACCEPTED
from api.domain.log.receipts import Receipt, receipt_document, receipt_of
from api.domain.log.signers import only, receipt_bytes
from api.domain.units import Bytes32
from api.errors import EvidenceInvalid
from api.verify.findings import Finding, Findings
from api.verify.receipt_files import read_receipts
from api.verify.receipts import ReceiptVerifier, ShownReceipt
from tests.signed_logs import SignedLog, Signer
from tests.unit.values import START_S, TERMS

KEY = Ed25519PrivateKey.from_private_bytes(b"\3" * 32)
PUBLIC = Bytes32(KEY.public_key().public_bytes_raw())
FACILITY = TERMS.facility_id
CUT_S = START_S + 1_000


@dataclass
class _Service:
    """A service, its log, and the receipts of one author."""

    log: SignedLog = field(default_factory=lambda: SignedLog(TERMS))
    author: Signer = field(default_factory=lambda: Signer("ledger"))

    def __post_init__(self) -> None:
        self.log.bring_itself(self.author, at_s=START_S)

    def say(self, at_s: int, *events: object) -> Receipt:
        """Record a batch; its receipt."""
        answers = [ACCEPTED] * len(events)
        logged = self.log.events(self.author, events, answers, at_s=START_S + at_s)
        return receipt_of(logged, KEY)


@pytest.fixture
def service() -> _Service:
    """A log with one entry."""
    return _Service()


def _judged(
    log: SignedLog, *receipts: Receipt, cut_s: int = CUT_S, key: Bytes32 = PUBLIC
) -> tuple[list[Finding], list[Finding]]:
    """Findings and warnings of receipts, where everything before a cut is published."""
    shown = [ShownReceipt(each, f"r{n}.json") for n, each in enumerate(receipts)]
    verifier, findings, warnings = ReceiptVerifier(shown), Findings(), Findings()
    entries = [x.entry for x in log.entries if x.entry.recorded_at_s < cut_s]
    verifier.of(FACILITY).note(entries, cut_s=cut_s)
    verifier.check(
        {TERMS.log: only(key)}, report=findings.of("receipts"), warn=warnings.of("receipts")
    )
    return list(findings.found), list(warnings.found)


def test_receipts__that_the_log_has__hold(service: _Service) -> None:
    own = [receipt_of(service.log.entries[0], KEY), service.say(5, {}), service.say(6, {})]

    assert _judged(service.log, *own, own[0]) == ([], [])


def test_receipts__newer_than_the_cut__are_not_judged_yet(service: _Service) -> None:
    own = [receipt_of(service.log.entries[0], KEY), service.say(999), service.say(1_000)]
    newest = service.say(2_000)

    found, warned = _judged(service.log, *own, newest)

    assert found == []
    assert [(w.code, w.facility_id) for w in warned] == [("receipt_newer", FACILITY)]
    assert warned[0].message.startswith("2 receipts of entries that no statement has to have yet")


@pytest.mark.parametrize("at_s", [3, 999])
def test_receipts__of_an_entry_left_out__name_it(service: _Service, at_s: int) -> None:
    """In the middle: what follows has its number. At the end: nothing has."""
    first = receipt_of(service.log.entries[0], KEY)
    gone = service.say(at_s, {"id": "gone"})
    service.log.entries.pop()

    [finding], _ = _judged(service.log, first, gone)

    assert (finding.code, finding.file, finding.facility_id) == (
        *("receipt_omitted", "r1.json", FACILITY),
    )
    assert f"entry 2, recorded at {START_S + at_s}" in finding.message
    assert "has 1 entries" in finding.message


def test_receipts__of_the_last_published_second__are_of_an_entry_left_out(
    service: _Service,
) -> None:
    """Cuts part no second: whatever was recorded in it is published with it, or never."""
    gone = service.say(0, {"id": "gone"})
    service.log.entries.pop()

    verifier, findings = ReceiptVerifier([ShownReceipt(gone, "r.json")]), Findings()
    verifier.of(FACILITY).note([service.log.entries[0].entry], cut_s=0)
    verifier.check({TERMS.log: only(PUBLIC)}, report=findings.of(""), warn=Findings().of(""))

    assert [f.code for f in findings.found] == ["receipt_omitted"]


def test_receipts__of_another_log__are_a_fork(service: _Service) -> None:
    """One log to the author, another to the public."""
    first = receipt_of(service.log.entries[0], KEY)
    told = service.say(5, {"id": "a"})
    service.log.entries.pop()
    service.author.after = service.log.end.head
    service.say(5, {"id": "b"})

    [finding], _ = _judged(service.log, first, told)

    assert finding.code == "receipt_fork"
    assert "another entry 2 than the published log has" in finding.message


CHANGES: dict[str, Callable[[Receipt], Receipt]] = {
    "recorded later": lambda r: replace(r, entry=replace(r.entry, recorded_at_s=START_S + 6)),
    "author": lambda r: replace(r, entry=replace(r.entry, author=Bytes32(b"\1" * 32))),
    "body": lambda r: replace(r, entry=replace(r.entry, body=Bytes32(b"\1" * 32))),
    "previous": lambda r: replace(r, entry=replace(r.entry, previous=Bytes32(b"\1" * 32))),
}


@pytest.mark.parametrize("case", CHANGES)
def test_receipts__two_of_one_number__prove_a_fork_without_any_log(
    service: _Service, case: str
) -> None:
    told = service.say(5, {"id": "a"})
    other = CHANGES[case](told)
    other = replace(other, signature=KEY.sign(receipt_bytes(other.entry)))

    [finding], warned = _judged(SignedLog(TERMS), told, other, cut_s=0)

    assert (finding.code, finding.file) == ("receipt_fork", "r1.json")
    assert "another entry 2 than the receipt in r0.json" in finding.message
    assert [w.code for w in warned] == ["receipt_newer"]


def test_receipts__not_of_the_logs_key__prove_nothing_of_the_log(service: _Service) -> None:
    own = service.say(5, {"id": "a"})
    forged = replace(CHANGES["body"](own), signature=bytes(64))

    found, _ = _judged(service.log, own, forged)

    assert [(f.code, f.file) for f in found] == [("receipt_signature", "r1.json")]


def test_receipts__of_a_log_without_a_key__are_none(service: _Service) -> None:
    found, _ = _judged(service.log, service.say(5), key=Bytes32(bytes(32)))

    assert [f.code for f in found] == ["receipt_signature"]


def test_receipts__of_another_deployment__are_not_judged(service: _Service) -> None:
    own = service.say(5)
    foreign = replace(own, entry=replace(own.entry, log=replace(own.entry.log, chain_id=99)))

    found, warned = _judged(service.log, foreign)

    assert found == []
    assert [(w.code, w.file) for w in warned] == [("receipt_foreign", "r0.json")]


def test_entries__of_the_same_author_without_a_receipt__are_said(service: _Service) -> None:
    """A service that invents a signed batch has k attesters for it, and no receipt."""
    first = receipt_of(service.log.entries[0], KEY)
    service.say(5, {"id": "made up"})
    other = Signer("rack")
    service.log.bring(service.author, other, at_s=START_S + 6)
    service.log.events(other, [{}], [ACCEPTED], at_s=START_S + 7)

    found, warned = _judged(service.log, first)

    assert found == []
    [warning] = warned
    assert warning.code == "receipt_lacking"
    assert "has 2 more entries of key" in warning.message
    assert "the first is 2" in warning.message


def test_unsigned__receipts__are_of_no_author(service: _Service) -> None:
    own = receipt_of(service.log.unsigned([{}], at_s=START_S + 5), KEY)
    service.log.unsigned([{}], at_s=START_S + 6)

    assert _judged(service.log, own) == ([], [])


# --- files ---------------------------------------------------------------------------------------


def test_read_receipts__of_any_form__are_the_same(service: _Service, tmp_path: Path) -> None:
    own = [service.say(n) for n in range(4)]
    documents = [receipt_document(each) for each in own]
    answer = {"accepted": 1, "results": [], "receipt": documents[0]}
    (tmp_path / "a.json").write_text(json.dumps(answer, indent=2))
    (tmp_path / "b.json").write_text(json.dumps(documents[1]))
    lines = [json.dumps({"receipt": documents[2]}), "", json.dumps(documents[3]), ""]
    (tmp_path / "c.jsonl").write_text("\n".join(lines))
    (tmp_path / ".hidden").write_text("nothing")
    (tmp_path / "folder").mkdir()

    found = read_receipts(tmp_path)

    assert [each.receipt for each in found] == own
    places = [(Path(each.file).name, each.line) for each in found]
    assert places == [("a.json", None), ("b.json", None), ("c.jsonl", 1), ("c.jsonl", 3)]
    assert [each.receipt for each in read_receipts(tmp_path / "b.json")] == own[1:2]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no receipt"),
        ("[]", "is not an object"),
        ("7", "is not an object"),
        ("{}", "a receipt cannot be read"),
        ('{"receipt": null}', "is not an object"),
        ('{"entry": "0x", "blind": "0x", "answers": "0x", "signature": "0x"}', "blind has 16"),
        ("nothing\n", r"r\.json line 1 is no JSON"),
        ("{}\n{}\n", r"r\.json line 1: a receipt cannot be read"),
        ("[" * 100, "line 1 is no JSON"),
    ],
)
def test_read_receipts__that_are_none__name_the_file(
    tmp_path: Path, text: str, message: str
) -> None:
    (tmp_path / "r.json").write_text(text)

    with pytest.raises(EvidenceInvalid, match=message):
        read_receipts(tmp_path / "r.json")


def test_read_receipts__of_what_is_not_there__says_so(tmp_path: Path) -> None:
    with pytest.raises(EvidenceInvalid, match="cannot be read"):
        read_receipts(tmp_path / "none")
    with pytest.raises(EvidenceInvalid, match="holds no receipt"):
        read_receipts(tmp_path)
