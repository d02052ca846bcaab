"""Keys that are elsewhere: a remote signer over HTTP, and AWS KMS as moto speaks it."""

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import boto3
import moto.kms.utils
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256
from moto.server import ThreadedMotoServer

from api.attester.account import AttesterAccount
from api.chain.signer import CURVE_ORDER, LocalSigner, recover
from api.domain.hashing import keccak
from api.errors import SignerFailed
from api.keys.kms import KmsKey, KmsSettings
from api.keys.web3signer import Web3SignerKey, Web3SignerSettings
from api.local.settings_table import SettingsWrong
from tests.integration.keys.signers import Web3Signer, web3signer

KEYS = ("0x" + "11" * 32, "0x" + "22" * 32)
ADDRESS = LocalSigner(KEYS[1]).address
PREIMAGE = b"\x19\x01" + b"\7" * 64


@pytest.fixture
def remote() -> Iterator[Web3Signer]:
    """A signer with two keys; ours is the second."""
    with web3signer(*KEYS) as served:
        yield served


def _signed(remote: Web3Signer, address: str = ADDRESS) -> bytes:
    with closing(Web3SignerKey(Web3SignerSettings(remote.url, address))) as key:
        return AttesterAccount(key).sign(PREIMAGE)


def test_web3signer__holds_the_key__signs_the_preimage_that_it_hashes(remote: Web3Signer) -> None:
    signature = _signed(remote)

    assert recover(keccak(PREIMAGE), signature) == ADDRESS
    assert remote.asked == [(remote.keys[1].public_key.to_hex(), PREIMAGE)]


def _zero_based(signature: bytes) -> str:
    return (signature[:64] + bytes([signature[64] - 27])).hex()


@pytest.mark.parametrize("spoil", [_zero_based, lambda s: f'"0x{s.hex()}"\n'])
def test_web3signer__written_otherwise__is_the_same_signature(
    remote: Web3Signer, spoil: Callable[[bytes], str]
) -> None:
    remote.spoil = spoil

    assert recover(keccak(PREIMAGE), _signed(remote)) == ADDRESS


def _mirrored(signature: bytes) -> str:
    s = CURVE_ORDER - int.from_bytes(signature[32:64], "big")
    return (signature[:32] + s.to_bytes(32, "big") + bytes([55 - signature[64]])).hex()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda s: "",
        lambda s: "0xzz",
        lambda s: s.hex()[:-2],
        lambda s: "0x" + bytes(65).hex(),
        lambda s: bytes([s[0] ^ 1, *s[1:]]).hex(),
        _mirrored,
    ],
)
def test_web3signer__spoilt_answer__is_refused(
    remote: Web3Signer, spoil: Callable[[bytes], str]
) -> None:
    remote.spoil = spoil

    with pytest.raises(SignerFailed):
        _signed(remote)


def test_web3signer__other_keys__are_named(remote: Web3Signer) -> None:
    stranger = LocalSigner("0x" + "33" * 32).address

    with pytest.raises(SignerFailed, match=f"does not hold {stranger}, but: .*{ADDRESS}"):
        _signed(remote, stranger)


@pytest.mark.parametrize("listed", ["nonsense", "{}", "[1]", '["0x12"]', "[]"])
def test_web3signer__list_is_nonsense_or_empty__is_refused(remote: Web3Signer, listed: str) -> None:
    remote.listed = listed

    with pytest.raises(SignerFailed):
        _signed(remote)


def test_web3signer__away_or_another_service__is_said(remote: Web3Signer) -> None:
    away = Web3Signer([], url="http://127.0.0.1:9")
    other = Web3Signer([], url=f"{remote.url}/elsewhere")

    for server, message in ((away, "does not answer"), (other, "answers 404")):
        with pytest.raises(SignerFailed, match=message):
            _signed(server)


def test_web3signer__certificates_that_are_none__are_wrong_settings(tmp_path: Any) -> None:
    absent = tmp_path / "absent.pem"

    for name in ("ca_file", "client_file"):
        with pytest.raises(SettingsWrong, match=name):
            Web3SignerKey(Web3SignerSettings("https://localhost", ADDRESS, **{name: absent}))


# --- AWS KMS ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """moto's server on a free port."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """What boto3 wants to sign requests with."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)


@pytest.fixture
def digests(monkeypatch: pytest.MonkeyPatch) -> None:
    """moto does not know MessageType DIGEST, and hashes a digest once more; AWS does not."""

    def sign(self: Any, message: bytes, signing_algorithm: str) -> bytes:
        assert signing_algorithm == "ECDSA_SHA_256"
        made: bytes = self.private_key.sign(message, ec.ECDSA(utils.Prehashed(SHA256())))
        return made

    monkeypatch.setattr(moto.kms.utils.ECDSAPrivateKey, "sign", sign)


def _made(endpoint: str, spec: str = "ECC_SECG_P256K1") -> KmsSettings:
    with closing(boto3.client("kms", "eu-central-1", endpoint_url=endpoint)) as client:
        key = client.create_key(KeyUsage="SIGN_VERIFY", KeySpec=spec)
    return KmsSettings(key["KeyMetadata"]["KeyId"], "eu-central-1", endpoint)


def test_kms__signs__low_and_recoverable_every_time(endpoint: str, digests: None) -> None:
    """Half of what KMS gives is above half of the order, and none of it says v."""
    with closing(KmsKey(_made(endpoint))) as key:
        account = AttesterAccount(key)
        preimages = [PREIMAGE + bytes([i]) for i in range(24)]
        signatures = [account.sign(preimage) for preimage in preimages]

    for preimage, signature in zip(preimages, signatures, strict=True):
        assert recover(keccak(preimage), signature) == account.address
    assert {signature[64] for signature in signatures} == {27, 28}


def test_kms__signs_something_else__is_refused(endpoint: str) -> None:
    """As moto is: the digest hashed once more."""
    with (
        closing(KmsKey(_made(endpoint))) as key,
        pytest.raises(SignerFailed, match="no signature of"),
    ):
        key.sign(PREIMAGE)


def test_kms__key_of_another_curve__is_wrong_settings(endpoint: str) -> None:
    with pytest.raises(SettingsWrong, match="no key of ECC_SECG_P256K1"):
        KmsKey(_made(endpoint, "ECC_NIST_P256"))


def test_kms__unknown_key_or_nobody_there__is_said(endpoint: str) -> None:
    for settings in (
        KmsSettings("00000000-0000-0000-0000-000000000000", "eu-central-1", endpoint),
        KmsSettings("key", "eu-central-1", "http://127.0.0.1:9"),
    ):
        with pytest.raises(SignerFailed, match="KMS"):
            KmsKey(settings)


def test_kms__no_region__is_wrong_settings(
    endpoint: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "absent"))

    with pytest.raises(SettingsWrong, match="kms"):
        KmsKey(KmsSettings("key", "", endpoint))
