"""A world that loses things and gets them back: what a drill does, and what is there afterwards."""

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import make_url

from api.rescue.backup import Made, make_backup
from api.rescue.log_key import LogKeyCopy
from api.rescue.restore import Place, Restored, restore
from api.rescue.since import known_since
from api.routes.service import service_of
from tests.factories import DAY_S, HOUR_S
from tests.world import World


def tree(root: Path) -> dict[str, bytes]:
    """All files below a folder."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file()
    }


@dataclass
class Drill:
    """One service, its backups, and the second run that nothing disturbed."""

    world: World
    stamps: int = field(default=0)

    @property
    def folder(self) -> Path:
        """Where backups are."""
        return self.world.folder / "backups"

    @property
    def log_key(self) -> LogKeyCopy:
        """The key of the logs."""
        return LogKeyCopy(self.world.settings().log_key_path)

    def place(self, **changes: Any) -> Place:
        """Where the service has its things."""
        world = self.world
        values: dict[str, Any] = {
            "database_url": world.engine.url.render_as_string(hide_password=False),
            "evidence": world.evidence,
            "deployment_file": world.deployed.deployment_file,
            "log_key": self.log_key,
        }
        return Place(**(values | changes))

    def stamp(self) -> str:
        """Another second, each time."""
        self.stamps += 1
        return f"20261130T2245{self.stamps:02}Z"

    def live(self) -> None:
        """One posted epoch, and what is metered of the next."""
        world = self.world
        world.at(DAY_S)
        world.ledger.ingest(world.ledger.usage(0, 0, 2 * HOUR_S))
        world.post(0)
        world.ledger.ingest(world.ledger.usage(1, DAY_S, DAY_S + HOUR_S))
        world.ledger.ingest(world.ledger.usage(2, DAY_S, DAY_S + 3 * HOUR_S))

    def backup(self, **changes: Any) -> Made:
        """Make a backup."""
        values: dict[str, Any] = {
            "deployment": self.world.deployment,
            "log_key": self.log_key,
            "settings": ["DATABASE_URL"],
            "made_at": self.stamp(),
        }
        return make_backup(
            self.world.engine, self.world.evidence, self.folder, **(values | changes)
        )

    def restore(self, made: Made, *, replace: bool = False, **place: Any) -> Restored:
        """Restore it, as a service that is stopped."""
        self.stop()
        return restore(made.path, self.place(**place), replace=replace, stamp=self.stamp())

    def stop(self) -> None:
        """Nobody has the database open."""
        service_of(self.world.app).engine.dispose()
        self.world.engine.dispose()

    def since(self) -> list[str]:
        """What the restored database does not know."""
        world = self.world
        return known_since(world.engine, world.evidence, world.contracts)

    def lose_database(self) -> None:
        """The database is gone."""
        self.stop()
        url = make_url(self.world.engine.url)
        if url.get_backend_name() == "sqlite":
            assert url.database is not None
            for name in Path(url.database).parent.glob(f"{Path(url.database).name}*"):
                name.unlink()
            return
        with self.world.engine.connect() as connection, connection.begin():
            connection.exec_driver_sql("DROP SCHEMA public CASCADE")
            connection.exec_driver_sql("CREATE SCHEMA public")
        self.world.engine.dispose()

    def lose_evidence(self) -> None:
        """The evidence is gone."""
        shutil.rmtree(self.world.evidence.root)

    def undisturbed(self, epoch: int) -> dict[str, bytes]:
        """What would have been published: an epoch is posted, and then chain and evidence are as if
        nothing of it had happened."""
        chain, root = self.world.deployed.chain, self.world.evidence.root
        before, kept = chain.rpc("evm_snapshot"), self.world.folder / "kept"
        shutil.copytree(root, kept)
        self.world.post(epoch)
        published = tree(root)
        shutil.rmtree(root)
        kept.rename(root)
        chain.rpc("evm_revert", before)
        chain.rpc("anvil_setBlockTimestampInterval", 0)
        return published
