"""One stack for all browser tests: real processes, real contracts, a short finished story."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from scripts.dev.devchain import ROOT
from tests.browser.browser import chromium_path, open_browser
from tests.browser.stage import Stage, open_stage


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, or a visible skip; a failure where RENTROLL_BROWSER=required."""
    with open_browser() as found:
        yield found


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The running stack with two days of history."""
    chromium_path()
    if not Path(ROOT / "build" / "web" / "index.html").is_file():
        pytest.fail("the web application is not built: run `make web`")
    with open_stage(tmp_path_factory.mktemp("stage") / "stack") as found:
        yield found


@pytest.fixture(autouse=True)
def left_alone(request: pytest.FixtureRequest) -> Iterator[None]:
    """Close what a test opened: pages go on asking the service, and slow what comes after."""
    yield
    if "browser" in request.fixturenames:
        for context in request.getfixturevalue("browser").contexts:
            context.close()
