"""Which chain the attester's nodes must be of: kept beside the memory, and asked of each node."""

import json
import os
from pathlib import Path

from api.chain.client import ChainClient
from api.chain.deployment import Deployment
from api.chain.providers import Identity
from api.domain.json_text import as_bytes32, as_integer, as_object, as_text, read_json
from api.errors import EvidenceInvalid, Misconfigured

_MODE = 0o600


class KeptIdentity:
    """The chain, and a block of it in which a contract of the deployment came to be.

    Before the first start nothing is known, and the registry alone tells a chain from another.
    """

    def __init__(self, file: Path, registry: str) -> None:
        """Raises Misconfigured for a file that is not readable."""
        self._file, self._registry = file, registry
        self._known = self._read()

    def expected(self) -> Identity | None:
        """What each node is compared with whenever it is connected to; None before anything is
        known."""
        return self._known

    def keep(self, client: ChainClient, deployment: Deployment, *, confirmations: int) -> None:
        """Remember the chain on which the contracts were found. Raises ChainUnavailable."""
        if self._known is not None:
            return
        if client.head().number < deployment.start_block + confirmations:
            # It may still be undone: known for as long as this process runs.
            self._known = Identity(deployment.chain_id)
            return
        block = client.block(deployment.start_block)
        self._write(Identity(deployment.chain_id, (block.number, block.hash)))

    def _write(self, identity: Identity) -> None:
        assert identity.anchor is not None
        number, anchor = identity.anchor
        said = {
            "registry": self._registry,
            "chain_id": identity.chain_id,
            "block": number,
            "block_hash": "0x" + anchor.hex(),
        }
        partial = self._file.with_suffix(".partial")
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _MODE)
        with os.fdopen(descriptor, "wb") as out:
            out.write(json.dumps(said).encode() + b"\n")
            out.flush()
            os.fsync(out.fileno())
        partial.replace(self._file)
        self._known = identity

    def _read(self) -> Identity | None:
        try:
            data = self._file.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Misconfigured(f"{self._file} cannot be read: {error.strerror}") from error
        try:
            said = as_object(read_json(data))
            if as_text(said["registry"]).lower() != self._registry.lower():
                return None
            anchor = as_integer(said["block"]), bytes(as_bytes32(said["block_hash"]))
            return Identity(as_integer(said["chain_id"]), anchor)
        except (LookupError, ValueError, TypeError, EvidenceInvalid) as error:
            message = f"{self._file} is damaged: it says which chain this attester knows"
            raise Misconfigured(f"{message}; delete it if the node is the right one") from error
