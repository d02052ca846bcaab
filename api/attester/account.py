"""Who attests: an account, the key that signs for it, and the check of every signature."""

from collections.abc import Callable

from api.chain.client import ChainClient
from api.chain.erc1271 import accepts_signature
from api.chain.signer import Signer, signature_of
from api.domain.hashing import keccak
from api.errors import SignerFailed

# Whether a contract takes a signature over a digest as its own.
Accepts = Callable[[bytes, bytes], bool]


class AttesterAccount:
    """Signs for an account. No signature leaves that the contracts would not take as its own."""

    def __init__(self, key: Signer, *, contract: str | None = None, accepts: Accepts | None = None):
        """Args: contract: account that attests where that is a contract wallet; `accepts` asks it.
        Without it the key attests itself."""
        self._key, self._accepts = key, accepts
        self.address: str = contract or key.address

    @property
    def key_address(self) -> str:
        """Address of the key that signs, which a contract's is not."""
        return self._key.address

    def sign(self, preimage: bytes) -> bytes:
        """A signature over the keccak-256 of a preimage.

        Raises:  SignerFailed if what the key gave is not its signature over this, or if the
                 contract does not take it; ChainUnavailable where the contract cannot be asked.
        """
        signature = signature_of(self._key, preimage)
        if self._accepts is not None and not self._accepts(keccak(preimage), signature):
            message = f"contract {self.address} does not take the signature of {self._key.address}"
            raise SignerFailed(message)
        return signature


def contract_account(client: ChainClient, contract: str, key: Signer) -> AttesterAccount:
    """A contract wallet that attests, and the key that signs for it."""

    def accepts(digest: bytes, signature: bytes) -> bool:
        return accepts_signature(client, contract, digest, signature)

    return AttesterAccount(key, contract=contract, accepts=accepts)
