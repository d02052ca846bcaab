"""Verify: whether a signature over a digest is an account's, of a key or of a contract wallet."""

import re

from api.chain.client import ChainClient
from api.chain.erc1271 import accepts_signature
from api.chain.signer import recover

_ADDRESS = re.compile(r"0x[0-9a-f]{40}")


class Signers:
    """Judges signatures as the contracts did: by key first, then by ERC-1271 (EIP-7702 has both).

    A wallet can change its mind. So it is asked as of the block in which its signature counted, and
    of the block before: in between, its own block may have changed it.
    """

    def __init__(self, client: ChainClient) -> None:
        self._client = client
        self._known: dict[tuple[str, bytes, bytes, int], bool] = {}

    def signed(self, account: str, digest: bytes, signature: bytes, *, block: int) -> bool:
        """Whether an account, in lower case, had signed a digest by a block."""
        key = account, digest, signature, block
        if key not in self._known:
            self._known[key] = self._judge(account, digest, signature, block)
        return self._known[key]

    def _judge(self, account: str, digest: bytes, signature: bytes, block: int) -> bool:
        signer = recover(digest, signature)
        if signer is not None and signer.lower() == account:
            return True
        # Evidence may name anything as an attester: no node is asked about what is no address.
        if _ADDRESS.fullmatch(account) is None:
            return False
        return any(
            accepts_signature(self._client, account, digest, signature, block=at)
            for at in (block, max(0, block - 1))
        )
