"""`verify` finds every change of published evidence and names facility, epoch and file."""

import json
import random
from collections.abc import Iterator
from dataclasses import replace

import pytest

from api.db.migrate import upgrade
from api.db.session import open_engine
from api.domain.statements.evidence import encode_attestations, encode_manifest, encode_statement
from api.domain.statements.evidence_reader import follows_of
from api.domain.statements.statement import statement_digest
from api.domain.units import Epoch
from api.errors import AppError, EvidenceInvalid
from api.verify import signers as verify_signers
from api.verify.verify import VerifyReport, verify
from scripts.dev.stack import ATTESTER_ACCOUNTS, RENTER
from tests.published import Memory, Published, Remembering
from tests.story import two_epochs
from tests.world import Deployed, World, signer_of

pytestmark = pytest.mark.chain

POSITIONS_A_FILE = 14
DEPLOYMENT = "deployment.json"


@pytest.fixture(scope="module")
def published(deployed: Deployed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Published]:
    """Two epochs with every kind of line, settled and claimed from; on the chain meanwhile."""
    folder = tmp_path_factory.mktemp("published")
    engine = open_engine(f"sqlite:///{folder}/rentroll.db")
    upgrade(engine)
    snapshot = deployed.chain.rpc("evm_snapshot")
    world = World(engine, folder, deployed)
    two_epochs(world)
    found = Published(world)
    assert found.verify().ok
    yield found
    world.close()
    engine.dispose()
    deployed.chain.rpc("evm_revert", snapshot)
    deployed.chain.rpc("anvil_setBlockTimestampInterval", 0)


@pytest.fixture(autouse=True)
def recovered_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Recovering the same signature over and over is what would take most of the time."""
    known: dict[tuple[bytes, bytes], str | None] = {}
    recover = verify_signers.recover

    def remembered(digest: bytes, signature: bytes) -> str | None:
        key = (digest, signature)
        if key not in known:
            known[key] = recover(digest, signature)
        return known[key]

    monkeypatch.setattr(verify_signers, "recover", remembered)


def _path(published: Published, name: str, epoch: int = 0) -> str:
    return f"facility-{published.facility_id}/epoch-{epoch:05d}/{name}"


def _named(report: VerifyReport, path: str) -> bool:
    """Whether a finding names the file with its facility and, inside an epoch, the epoch."""
    epoch = int(path.split("/epoch-")[1][:5]) if "/epoch-" in path else None
    places = [(f.file, f.facility_id) for f in report.findings if epoch in (None, f.epoch)]
    return (path, int(path.split("/")[0].removeprefix("facility-"))) in places


def _other_bytes(rng: random.Random, byte: int) -> set[int]:
    """A random byte, and those that readers forgive most easily: case, sign, exponent, space."""
    return {rng.randrange(256), rng.choice([byte ^ 0x20, *b"0 1-+eE_.9\n"])} - {byte}


def _changes(data: bytes, rng: random.Random) -> Iterator[tuple[int, bytes]]:
    """The file with one byte changed: its ends, and positions of a fixed seed."""
    if not data:
        # No terms were agreed in the epoch: whatever stands there is added.
        yield 0, b"\n"
        return
    ends = {0, 1, len(data) - 2, len(data) - 1}
    positions = ends | set(rng.sample(range(len(data)), min(len(data), POSITIONS_A_FILE)))
    for position in sorted(positions):
        for byte in sorted(_other_bytes(rng, data[position])):
            yield position, data[:position] + bytes([byte]) + data[position + 1 :]


def test_verify__one_byte_of_any_file_changed__names_facility_epoch_and_file(
    published: Published,
) -> None:
    """ATTACKS 21, 22: every file, some three hundred positions, several bytes at each."""
    rng = random.Random(20260101)
    missed, tried = [], 0
    for path in sorted(published.files.keys() - {DEPLOYMENT}):
        for position, data in _changes(published.files[path], rng):
            report = published.verify({path: data})
            tried += 1
            if report.ok or not _named(report, path):
                missed.append((path, position, data[position]))

    assert missed == []
    assert tried > 300


def test_verify__one_byte_of_the_deployment_changed__is_refused_by_its_name(
    published: Published,
) -> None:
    data = published.files[DEPLOYMENT]
    rng = random.Random(20260101)
    accepted = []
    for position, changed in _changes(data, rng):
        try:
            published.verify({DEPLOYMENT: changed})
            accepted.append((position, changed[position], "accepted"))
        except EvidenceInvalid as error:
            if DEPLOYMENT not in error.message:
                accepted.append((position, changed[position], error.message))

    assert accepted == []


def test_verify__case_of_a_hex_digit_in_the_deployment_changed__is_refused(
    published: Published,
) -> None:
    """An address reads the same in any case; its bytes do not."""
    document = json.loads(published.files[DEPLOYMENT])
    address = document["contracts"]["RentLockbox"]["address"]
    changed = published.files[DEPLOYMENT].replace(address.encode(), address.lower().encode())

    with pytest.raises(EvidenceInvalid, match=r"deployment\.json"):
        published.verify({DEPLOYMENT: changed})


def test_verify__number_that_reads_as_infinite__is_a_finding(published: Published) -> None:
    """One changed byte makes 1767225600 the float 1e67225600."""
    for name in ("facility.json", _path(published, "facts.jsonl").split("/", 1)[1]):
        path = f"facility-{published.facility_id}/{name}"
        data = published.files[path]
        assert b"1767225600" in data

        report = published.verify({path: data.replace(b"1767225600", b"1e67225600", 1)})

        assert _named(report, path)
    changed = published.files[DEPLOYMENT].replace(b"31337", b"3e337")
    with pytest.raises(EvidenceInvalid, match=r"deployment\.json"):
        published.verify({DEPLOYMENT: changed})


def test_verify__any_file_missing__names_it(published: Published) -> None:
    for path in sorted(published.files.keys() - {DEPLOYMENT}):
        report = published.verify({path: None})

        assert _named(report, path), path
    with pytest.raises(AppError, match=r"deployment\.json"):
        published.verify({DEPLOYMENT: None})


def test_verify__stray_file__names_it_wherever_it_lies(published: Published) -> None:
    folder = f"facility-{published.facility_id}"
    for path in (f"{folder}/epoch-00001/lines.csv.bak", f"{folder}/notes.txt"):
        assert _named(published.verify({path: b""}), path)
    assert [f.file for f in published.verify({"x.json": b""}).findings] == ["x.json"]


def _with_manifest(published: Published, changes: dict[str, bytes]) -> dict[str, bytes]:
    """The changes with a manifest that agrees with them."""
    files = {p.rsplit("/", 1)[-1]: d for p, d in published.files.items() if "epoch-00001" not in p}
    files |= {path.rsplit("/", 1)[1]: data for path, data in changes.items()}
    said = follows_of(published.files[_path(published, "manifest.json")])
    manifest = encode_manifest(published.statements[0].facility_id, Epoch(0), files, said=said)
    return changes | {_path(published, "manifest.json"): manifest}


def test_verify__lines_and_manifest_changed_together__is_found(published: Published) -> None:
    """Compensating changes: the manifest is bound by the chain."""
    path = _path(published, "lines.csv")
    rows = published.files[path].split(b"\n")
    swapped = b"\n".join([rows[0], rows[2], rows[1], *rows[3:]])
    cheaper = published.files[path].replace(b",2000000,", b",1999999,", 1)
    for data in (swapped, cheaper):
        assert data != published.files[path]

        report = published.verify(_with_manifest(published, {path: data}))

        assert _named(report, _path(published, "manifest.json"))
        assert _named(report, path)


def test_verify__rows_swapped__is_found(published: Published) -> None:
    path = _path(published, "lines.csv", 1)
    rows = published.files[path].split(b"\n")
    swapped = b"\n".join([rows[0], rows[2], rows[1], *rows[3:]])

    assert _named(published.verify({path: swapped}), path)


def test_verify__statement_and_signatures_replaced_together__is_found(
    published: Published,
) -> None:
    """Attesters who sign something else afterwards change nothing that was posted."""
    forged = replace(published.statements[0], gross_revenue_micros=1)
    deployment = published.deployment
    digest = statement_digest(
        forged, chain_id=deployment.chain_id, registry=deployment.statement_registry
    )
    signers = [signer_of(ATTESTER_ACCOUNTS[i]) for i in (0, 1)]
    signed = {s.address.lower(): s.sign_digest(digest) for s in signers}
    files = {
        _path(published, "statement.json"): encode_statement(forged),
        _path(published, "attestations.json"): encode_attestations(signed),
    }

    report = published.verify(files)

    assert all(_named(report, path) for path in files)


@pytest.mark.parametrize("keep", [0, 1, 2])
def test_verify__signature_of_a_stranger__is_found(published: Published, keep: int) -> None:
    """ATTACKS 19: in place of a member's, or beside them."""
    path = _path(published, "attestations.json")
    rows = json.loads(published.files[path])[:keep]
    signed = {r["attester"]: bytes.fromhex(r["signature"][2:]) for r in rows}
    stranger = signer_of(RENTER)
    deployment = published.deployment
    digest = statement_digest(
        published.statements[0],
        chain_id=deployment.chain_id,
        registry=deployment.statement_registry,
    )
    signed[stranger.address.lower()] = stranger.sign_digest(digest)

    report = published.verify({path: encode_attestations(signed)})

    assert _named(report, path)
    assert any(stranger.address.lower() in f.message for f in report.findings)


def test_verify__other_registry_or_chain__is_refused(published: Published) -> None:
    """ATTACKS 18."""
    evidence = Memory(published.files)
    other = Remembering(published.client.rpc_url)
    other._answers["eth_chainId ()"] = "0x1"

    with pytest.raises(EvidenceInvalid, match="registry"):
        verify(published.client, evidence, registry=published.deployment.rent_lockbox)
    with pytest.raises(EvidenceInvalid, match="chain 1"):
        verify(other, evidence)
    accepted = verify(
        published.client, evidence, registry=published.deployment.statement_registry.lower()
    )
    assert accepted.ok
