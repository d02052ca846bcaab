"""A finished small run as an auditor has it: evidence in memory, and the chain's answers kept."""

from collections.abc import Mapping
from typing import Any

from api.chain import checks
from api.chain.checks import Asked
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

    def _ask_all(self, method: str, params: Any, parse: Any, **_more: Any) -> list[Any]:
        """The answers from before, where there were some."""
        return [parse(self._answer(method, each), Asked(method, each)) for each in params]

    def _answer(self, method: str, params: Any) -> Any:
        key = f"{method} {tuple(params)!r}"
        if key not in self._answers:
            found = super()._ask_all(method, [params], checks.as_it_is)
            (self._answers[key],) = found
        return self._answers[key]


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
