"""The library of signatures beside its own slow form in Python: one is the other's oracle."""

from eth_keys.backends import CoinCurveECCBackend, NativeECCBackend, get_backend
from eth_keys.datatypes import PrivateKey, Signature
from hypothesis import given
from hypothesis import strategies as st

from api.chain import signer
from api.chain.signer import LocalSigner, recover

# SEC 2, 2.4.1.
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
FIELD = 2**256 - 2**32 - 977
WORDS = st.one_of(
    st.integers(0, 2**256 - 1),
    st.sampled_from(
        [0, 1, 2, ORDER // 2, ORDER // 2 + 1, ORDER - 1, ORDER, ORDER + 1, FIELD - ORDER, FIELD]
    ),
)
DIGESTS = st.binary(min_size=32, max_size=32)


def test_backend__that_is_used__is_the_fast_one() -> None:
    assert isinstance(get_backend(), CoinCurveECCBackend)


@given(key=st.integers(1, ORDER - 1), digest=DIGESTS)
def test_sign__any_key_and_digest__as_in_python(key: int, digest: bytes) -> None:
    of = LocalSigner(key.to_bytes(32).hex())
    signature = of.sign_digest(digest)

    slow = PrivateKey(key.to_bytes(32), backend=NativeECCBackend()).sign_msg_hash(digest)

    assert signature == slow.to_bytes()[:64] + bytes([slow.v + 27])
    assert recover(digest, signature) == of.address


@given(r=WORDS, s=WORDS, v=st.sampled_from([27, 28]), digest=DIGESTS)
def test_recover__any_words__as_in_python(r: int, s: int, v: int, digest: bytes) -> None:
    data = r.to_bytes(32) + s.to_bytes(32) + bytes([v])

    found = recover(digest, data)

    signer.Signature, fast = _Slow, signer.Signature
    try:
        assert recover(digest, data) == found
    finally:
        signer.Signature = fast


class _Slow(Signature):
    def __init__(self, signature: bytes) -> None:
        super().__init__(signature, backend=NativeECCBackend())
