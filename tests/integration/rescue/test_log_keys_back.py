"""Keys of logs that followed each other: lost, and back from a backup (ATTACKS 58)."""

import stat
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi.testclient import TestClient

from api.domain.log.receipts import SignedEntry, signed_entry_from
from api.domain.log.requests import key_from
from api.domain.log.signers import LogSigners
from api.errors import Conflict
from api.local.key_file import load_or_make_key
from api.local.log_keys import LogKeyFiles, successors_file
from api.local.secret_file import KeyFileWrong
from api.main import create_app
from api.rescue.log_key import LogKeyCopy
from api.routes.service import service_of
from tests.integration.ledger.test_log_successors import Rotating
from tests.integration.rescue.drill import Drill
from tests.signing import raw_key
from tests.world import World

pytestmark = pytest.mark.chain


@dataclass
class Keys:
    """A log whose key was followed twice, its entries by each, and the drill around it."""

    log: Rotating
    drill: Drill
    signers: LogSigners

    @property
    def path(self) -> Path:
        """The key of new logs."""
        return self.log.file

    def files(self) -> dict[str, bytes]:
        """Key files and the file of successors, by name."""
        return {path.name: path.read_bytes() for path in self.path.parent.glob("log-*")}

    def lose(self) -> None:
        """Database and keys are gone."""
        self.drill.lose_database()
        for name in self.files():
            (self.path.parent / name).unlink()

    def start(self) -> None:
        """Another process of the service, that remembers no key."""
        world = self.log.world
        service_of(world.app).client.close()
        world.app = create_app(world.settings())
        world.http = TestClient(world.app)

    def signed_entry(self, number: int) -> SignedEntry:
        """An entry as attesters get it, signed anew."""
        world = self.log.world
        path = f"/v1/attester/facilities/{world.facility_id}/log/entries/{number}"
        answer = world.http.get(path, headers=world.as_attester())
        assert answer.status_code == 200, answer.text
        return signed_entry_from(answer.json())


@pytest.fixture
def keys(world: World, tmp_path: Path) -> Keys:
    """The first key signed an hour, the second another, the third the last one."""
    log = Rotating(world, tmp_path)
    world.as_attester()
    world.indexer().advance()
    log.use(0)
    log.rotate()
    log.use(1)
    log.rotate()
    log.use(2)
    return Keys(log, Drill(world), log.signers)


@pytest.mark.parametrize("passphrase", [None, b"correct horse"])
def test_log_keys__rotated_twice_and_all_lost__sign_old_and_new_entries_again(
    keys: Keys, passphrase: bytes | None
) -> None:
    before, log = keys.files(), keys.log
    made = keys.drill.backup(log_key=LogKeyCopy(keys.path, taken=True, passphrase=passphrase))
    size = log.copies.row.log_size
    keys.lose()

    restored = keys.drill.restore(made, log_key=LogKeyCopy(keys.path, passphrase=passphrase))
    keys.start()

    assert restored.lacking == ()
    assert keys.files() == before
    assert len(before) == 4
    modes = {stat.S_IMODE((keys.path.parent / name).stat().st_mode) for name in before}
    assert modes == {0o600}
    signed = [keys.signed_entry(number) for number in range(1, size + 1)]
    for each in signed:
        keys.signers.require_signed(each.entry, each.signature, where=each.where)
    # Each as of old: by the first key that may, for who reads the log may know of no later one.
    by = [keys.signers.signer_of(each.entry, each.signature) for each in signed]
    assert [each.entry.number for each in signed] == list(range(1, size + 1))
    assert list(dict.fromkeys(by)) == list(keys.signers)
    for receipt in log.collector.receipts:
        receipt.require_signed(log.signers)
    log.use(3)
    assert log.copies.row.log_size == size + 1
    newest = log.collector.receipts[-1]
    newest.require_signed(keys.signers)
    assert keys.signers.signer_of(newest.entry, newest.signature) == keys.signers.signers[-1]


def test_log_keys__not_in_the_backup__are_named_each_and_none_is_made(keys: Keys) -> None:
    """The entries by which they follow each other are no secret, and come back all the same."""
    successors = successors_file(keys.path).read_bytes()
    made = keys.drill.backup()
    keys.lose()

    lacking = keys.drill.restore(made).lacking

    public = [signer.key.hex() for signer in keys.signers]
    assert [any(key in said for said in lacking) for key in public] == [True] * 3
    assert len(lacking) == 3
    assert public[-1] in lacking[0]
    assert keys.files() == {"log-successors.jsonl": successors}


def test_log_key__older_one_is_not_here__is_said_by_backup_and_restore(keys: Keys) -> None:
    first = LogKeyFiles(keys.path).of(keys.signers.signers[0].key)
    assert first is not None
    [gone] = [p for p in keys.path.parent.glob("log-key-*.pem") if _reads(p, first)]
    gone.unlink()
    made = keys.drill.backup(log_key=LogKeyCopy(keys.path, taken=True))
    keys.lose()

    [said] = keys.drill.restore(made).lacking

    named = {each.key: each.file for each in made.manifest.older_keys}
    assert [named.pop(raw_key(first).hex())] == [None]
    assert None not in named.values()
    assert said.startswith(f"key {raw_key(first).hex()}, which signed receipts before, is not in")


def _reads(path: Path, key: Ed25519PrivateKey) -> bool:
    return raw_key(load_or_make_key(path)) == raw_key(key)


def test_log_keys__rotated_since_the_backup__stay_and_give_the_entry_back(keys: Keys) -> None:
    """The database alone is lost: the newer keys are no others', for the older lie beside them."""
    log = keys.log
    made = keys.drill.backup(log_key=LogKeyCopy(keys.path, taken=True))
    since = log.rotate()
    before = keys.files()
    keys.drill.lose_database()

    restored = keys.drill.restore(made)
    keys.start()
    again = log.rotate()

    assert restored.lacking == ()
    assert keys.files() == before
    assert (again.again, again.entry, again.key) == (True, since.entry, since.key)
    log.use(3)
    newest = log.collector.receipts[-1]
    signer = log.signers.signer_of(newest.entry, newest.signature)
    assert signer is not None
    assert signer.key == key_from(since.key)


def test_log_keys__another_has_the_name_of_one__none_is_written(keys: Keys) -> None:
    made = keys.drill.backup(log_key=LogKeyCopy(keys.path, taken=True))
    [first, _] = sorted(keys.path.parent.glob("log-key-*.pem"))
    keys.lose()
    load_or_make_key(first)
    before = keys.files()

    with pytest.raises(Conflict, match="is another key than the one of before"):
        keys.drill.restore(made)

    assert keys.files() == before
    # With another key in the place of the newest one nothing is written either.
    first.unlink()
    load_or_make_key(keys.path)
    before = keys.files()
    with pytest.raises(Conflict, match="is another key than that of the backup's logs"):
        keys.drill.restore(made)
    assert keys.files() == before


def test_log_keys__exchanged_in_the_backup__are_refused(keys: Keys) -> None:
    """By its name a file is the key of before; whose it is says its public half."""
    made = keys.drill.backup(log_key=LogKeyCopy(keys.path, taken=True))
    older = made.manifest.older_keys
    one, other = (keys.drill.folder / str(each.file) for each in older)
    one.write_bytes(other.read_bytes())
    keys.lose()

    with pytest.raises(KeyFileWrong, match="is not the key"):
        keys.drill.restore(made)

    assert keys.files() == {}


def test_successors__of_here_and_of_the_backup__are_all_kept(keys: Keys) -> None:
    file = successors_file(keys.path)
    of_backup = file.read_bytes()
    made = keys.drill.backup(log_key=LogKeyCopy(keys.path, taken=True))
    keys.log.rotate()
    newest = file.read_bytes()[len(of_backup) :]
    file.write_bytes(newest)
    keys.drill.lose_database()

    keys.drill.restore(made)

    assert file.read_bytes() == of_backup + newest
