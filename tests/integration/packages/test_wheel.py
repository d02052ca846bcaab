"""The wheel runs the service: API with pages, and worker, in an environment of its own.

The pages are no part of the wheel, which attesters and agents install too, and which is built
without Node: they are a folder beside it, named by RENTROLL_WEB_DIR.
"""

import subprocess
import zipfile
from pathlib import Path

import httpx
import pytest

from tests.integration.packages.wheel import ROOT
from tests.integration.telemetry.processes import LOCAL, free_port, process, status_of, until
from tests.world import World

pytestmark = [pytest.mark.chain, pytest.mark.slow]
WEB = ROOT / "build" / "web"


def test_wheel__serves_api_and_pages__and_its_worker_closes(
    rentroll: Path, world: World, around: dict[str, str], tmp_path: Path
) -> None:
    if not (WEB / "index.html").exists():
        pytest.skip("build/web is not there: run `make web`")
    base = f"http://{LOCAL}:{(port := free_port())}"
    program, settings = (str(rentroll),), around | {"RENTROLL_WEB_DIR": str(WEB)}
    # What a chain of tests says is final at once.
    worker = around | {"RENTROLL_CONFIRMATIONS": "0"}
    world.at_cut_off(0)

    with (
        process(tmp_path / "api", "serve", program=program, RENTROLL_PORT=str(port), **settings),
        process(tmp_path / "worker", "worker", program=program, **worker),
    ):
        # The first start compiles every module of a new environment.
        until(lambda: status_of(f"{base}/readyz") == 200, 300)
        page = httpx.get(f"{base}/", headers={"Accept": "text/html"})
        url = f"{base}/v1/facilities/{world.facility_id}/statements"
        until(lambda: bool(httpx.get(url).json()["statements"]), 300)

    assert page.status_code == 200
    assert "<script" in page.text


def test_wheel__what_is_in_it__is_the_programs_and_migrations_alone(rentroll: Path) -> None:
    [wheel] = (rentroll.parents[2] / "dist").glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()

    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"api"}
    assert [name for name in names if name.startswith("api/db/migrations/versions/")]
    done = subprocess.run([rentroll, "--help"], capture_output=True, text=True, check=True)
    assert "worker" in done.stdout
