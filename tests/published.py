"""A finished small run as an auditor has it: evidence in memory, and the chain's answers kept."""

from collections.abc import Mapping
from typing import Any

from api.chain.client import ChainClient
from api.errors import NotFound
from api.evidence_store import EvidenceFolder
from api.verify.verify import VerifyReport, verify
from tests.world import World


class Memory:
    """Evidence in memory, with changes on top."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.files = dict(files)

    def read(self, path: str) -> bytes:
        """Bytes of a file. Raises NotFound."""
        if path not in self.files:
            raise NotFound(f"no evidence at {path!r}", path=path)
        return self.files[path]

    def names(self, folder: str) -> list[str]:
        """What lies in a folder, folders with `/` behind. Raises NotFound."""
        start = "" if folder == "." else f"{folder}/"
        found = [p.removeprefix(start) for p in self.files if p.startswith(start)]
        if not found:
            raise NotFound(f"no evidence at {folder!r}", path=folder)
        return sorted({first + slash for first, slash, _ in (p.partition("/") for p in found)})


class Remembering(ChainClient):
    """A client that asks each question once: for verifying one chain many times."""

    def __init__(self, rpc_url: str) -> None:
        super().__init__(rpc_url)
        self._answers: dict[str, Any] = {}

    def request(self, method: str, *params: Any, attempts: int = 1) -> Any:
        """The answer from before, if there was one."""
        key = f"{method} {params!r}"
        if key not in self._answers:
            self._answers[key] = super().request(method, *params, attempts=attempts)
        return self._answers[key]

    def requests(self, method: str, params: Any, *, attempts: int = 1) -> list[Any]:
        """The same of several, one by one."""
        return [self.request(method, *each, attempts=attempts) for each in params]


class Published:
    """Evidence and chain of a finished world."""

    def __init__(self, world: World) -> None:
        root = world.evidence.root
        names = sorted(str(p.relative_to(root)) for p in root.rglob("*") if p.is_file())
        self.files = {name: EvidenceFolder(root).read(name) for name in names}
        self.facility_id, self.deployment = world.facility_id, world.deployment
        self.statements = [world.statement(epoch) for epoch in (0, 1)]
        self.client = Remembering(world.chain.rpc_url)

    def verify(self, changes: Mapping[str, bytes | None] | None = None) -> VerifyReport:
        """Verify with some files changed, added, or (None) taken away."""
        changed = {**self.files, **(changes or {})}
        files = {path: data for path, data in changed.items() if data is not None}
        return verify(self.client, Memory(files))
