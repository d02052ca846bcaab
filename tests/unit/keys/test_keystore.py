"""Keys in files: what is read, what is refused, and what is never written over."""

import json
import stat
from pathlib import Path

import pytest
from eth_account import Account

from api.attester.account import AttesterAccount
from api.chain.signer import LocalSigner, recover
from api.domain.hashing import keccak
from api.errors import SignerFailed
from api.keys.keystore import keystore_key, make_keystore, password_of, raw_key
from api.local.secret_file import KeyFileWrong, write_secret

KEY = "0x" + "11" * 32
ADDRESS = LocalSigner(KEY).address
PREIMAGE = b"\x19\x01" + b"\7" * 64


def _secret(path: Path, text: str) -> Path:
    write_secret(path, text.encode())
    return path


def _keystore(folder: Path, password: str) -> Path:
    # Few iterations: a test of reading, not of stretching.
    document = Account.encrypt(KEY, password, kdf="pbkdf2", iterations=2)
    return _secret(folder / "key.json", json.dumps(document))


def test_make_keystore__then_read__is_the_key_that_was_told(tmp_path: Path) -> None:
    file, password = tmp_path / "key.json", tmp_path / "password"

    address = make_keystore(file, password_file=password)

    key = keystore_key(file, password_file=password)
    assert key.address == address
    assert recover(keccak(PREIMAGE), key.sign(PREIMAGE)) == address
    assert [stat.S_IMODE(f.stat().st_mode) for f in (file, password)] == [0o600, 0o600]
    assert json.loads(file.read_text())["version"] == 3


def test_make_keystore__again__writes_nothing_over(tmp_path: Path) -> None:
    file, password = _secret(tmp_path / "key.json", "{}"), tmp_path / "password"

    with pytest.raises(KeyFileWrong, match="not written over"):
        make_keystore(file, password_file=password)

    assert file.read_text() == "{}"
    assert not password.exists()


def test_make_keystore__password_is_there__is_used(tmp_path: Path) -> None:
    file, password = tmp_path / "key.json", _secret(tmp_path / "password", "of my own\r\n")

    address = make_keystore(file, password_file=password)

    assert password_of(password) == "of my own"
    assert keystore_key(file, password_file=password).address == address


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "no keystore"),
        ("[]", "no keystore"),
        ("{}", "no keystore"),
        ('{"version": 1, "crypto": {}}', "no keystore"),
    ],
)
def test_keystore__of_something_else__is_refused(tmp_path: Path, text: str, message: str) -> None:
    password = _secret(tmp_path / "password", "x")

    with pytest.raises(KeyFileWrong, match=message):
        keystore_key(_secret(tmp_path / "key.json", text), password_file=password)


def test_keystore__wrong_password__says_so_and_quotes_none(tmp_path: Path) -> None:
    file, password = _keystore(tmp_path, "right"), _secret(tmp_path / "password", "wrong-word")

    with pytest.raises(KeyFileWrong, match="not opened by the password") as caught:
        keystore_key(file, password_file=password)

    assert "wrong-word" not in caught.value.message


def test_keystore__right_password__is_the_key(tmp_path: Path) -> None:
    file, password = _keystore(tmp_path, "right"), _secret(tmp_path / "password", "right\n")

    assert keystore_key(file, password_file=password).address == ADDRESS


def test_secrets__that_others_may_read__are_refused(tmp_path: Path) -> None:
    file, password = _keystore(tmp_path, "x"), _secret(tmp_path / "password", "x")
    raw = _secret(tmp_path / "raw", KEY)
    for path in (password, raw):
        path.chmod(0o640)

    for read in (lambda: keystore_key(file, password_file=password), lambda: raw_key(raw)):
        with pytest.raises(KeyFileWrong, match="chmod 600"):
            read()
    file.chmod(0o644)
    password.chmod(0o600)
    with pytest.raises(KeyFileWrong, match="chmod 600"):
        keystore_key(file, password_file=password)


def test_raw_key__hex_with_or_without_prefix__is_the_key(tmp_path: Path) -> None:
    for name, text in (("a", KEY + "\n"), ("b", KEY[2:])):
        assert raw_key(_secret(tmp_path / name, text)).address == ADDRESS


@pytest.mark.parametrize("text", ["", "0x12", "zz" * 32, "1" * 63, "0" * 64])
def test_raw_key__no_key__is_refused_unquoted(tmp_path: Path, text: str) -> None:
    with pytest.raises(KeyFileWrong, match=r"32 bytes of hex|holds no key") as caught:
        raw_key(_secret(tmp_path / "raw", text))

    assert not text or text not in caught.value.message


def test_password__empty__is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyFileWrong, match="no password"):
        password_of(_secret(tmp_path / "password", "\n"))


class _Liar:
    """A signer that signs something else, or with another key."""

    address = ADDRESS

    def __init__(self, signature: bytes) -> None:
        self._signature = signature

    def sign(self, preimage: bytes) -> bytes:
        return self._signature


@pytest.mark.parametrize(
    "signature",
    [
        b"",
        b"\0" * 65,
        LocalSigner(KEY).sign(PREIMAGE + b"\0"),
        LocalSigner(KEY).sign_digest(keccak(keccak(PREIMAGE))),
        LocalSigner("0x" + "22" * 32).sign(PREIMAGE),
        LocalSigner(KEY).sign(PREIMAGE)[:64],
    ],
)
def test_account__signature_of_something_else__never_leaves(signature: bytes) -> None:
    with pytest.raises(SignerFailed, match="no signature of"):
        AttesterAccount(_Liar(signature)).sign(PREIMAGE)


def test_account__of_a_contract_that_says_no__signs_nothing() -> None:
    asked = []

    def accepts(digest: bytes, signature: bytes) -> bool:
        asked.append((digest, signature))
        return len(asked) > 1

    key, contract = LocalSigner(KEY), "0x" + "Aa" * 20
    account = AttesterAccount(key, contract=contract, accepts=accepts)

    with pytest.raises(SignerFailed, match="does not take"):
        account.sign(PREIMAGE)
    signature = account.sign(PREIMAGE)

    assert (account.address, account.key_address) == (contract, ADDRESS)
    assert asked == [(keccak(PREIMAGE), signature)] * 2
