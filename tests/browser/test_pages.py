"""Every page at every width and scheme: readable by all, quiet, within its frame; its weight."""

import gzip
import json
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from scripts.dev.devchain import ROOT
from scripts.dev.stack import HOLDERS, OPERATORS, wallet
from tests.browser.browser import PATIENCE_MS, Visit, visit
from tests.browser.stage import Stage

pytestmark = [pytest.mark.slow, pytest.mark.chain]
BUILD = ROOT / "build" / "web"
# Issue 4: initial JavaScript, gzip.
MAX_INITIAL_BYTES = 260 * 1_024


def _last_transaction(stage: Stage) -> str:
    flows = stage.stack.get("/v1/facilities/1/cash-flows")
    return str(flows[-1]["tx_hash"])


def _paths(stage: Stage) -> dict[str, str]:
    holder = wallet(HOLDERS[0]).address
    return {
        "market": "/",
        "tranche": "/tranches/256",
        "portfolio": f"/portfolio/{holder}",
        "portfolio of nobody": "/portfolio/0x" + "1" * 40,
        "transaction": f"/tx/{_last_transaction(stage)}",
        "unknown transaction": "/tx/0x" + "b" * 64,
        "operator": "/operator",
        "audit": "/audit",
        "epoch": "/facilities/1/epochs/0",
        "line": "/facilities/1/epochs/0/lines/1",
        "docs": "/docs",
        "no such page": "/no-such-page",
    }


PAGES = (
    "market",
    "tranche",
    "portfolio",
    "portfolio of nobody",
    "transaction",
    "unknown transaction",
    "operator",
    "audit",
    "epoch",
    "line",
    "docs",
    "no such page",
)


def _settled(found: Visit) -> None:
    """Wait until nothing loads any more."""
    expect(found.page.locator("[aria-busy=true]")).to_have_count(0, timeout=PATIENCE_MS)


@pytest.mark.parametrize("page", PAGES)
def test_page__any_scheme__has_no_violation_and_no_error(
    browser: Browser, stage: Stage, page: str
) -> None:
    """In light, and in dark after the visitor's system changes: pages follow it."""
    found = visit(browser, base_url=stage.url)
    found.open(_paths(stage)[page])
    _settled(found)

    violations = {}
    for scheme in ("light", "dark"):
        found.page.emulate_media(color_scheme=scheme)
        expect(found.page.locator("html")).to_have_attribute("data-mantine-color-scheme", scheme)
        violations[scheme] = found.axe()

    assert violations == {"light": [], "dark": []}
    assert not found.complaints, found.complaints


@pytest.mark.parametrize("page", PAGES)
def test_page__narrow__never_scrolls_sideways(browser: Browser, stage: Stage, page: str) -> None:
    found = visit(browser, base_url=stage.url, width=360)
    found.open(_paths(stage)[page])
    _settled(found)

    over = {}
    for width in (360, 768):
        found.page.set_viewport_size({"width": width, "height": 900})
        over[width] = found.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )

    assert over == {360: 0, 768: 0}
    assert not (wrong := found.axe()), wrong


def test_console__signed_in__has_no_violation(browser: Browser, stage: Stage) -> None:
    operator = wallet(OPERATORS[0]).address
    found = visit(browser, base_url=stage.url, rpc_url=stage.rpc_url, account=operator)
    page = found.open("/operator")
    found.connect()

    page.get_by_role("button", name="Sign in").first.click()
    page.get_by_text("operator-1").first.wait_for()
    _settled(found)

    assert not (wrong := found.axe()), wrong
    found.open("/operator/1")
    _settled(found)
    assert not (wrong := found.axe()), wrong
    assert not found.complaints, found.complaints


def test_keyboard__first_tab__skips_to_the_content(browser: Browser, stage: Stage) -> None:
    found = visit(browser, base_url=stage.url)
    page = found.open("/")

    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    assert page.evaluate("document.activeElement.id") == "main"


def _initial_scripts(stage: Stage, browser: Browser) -> list[Path]:
    found = visit(browser, base_url=stage.url)
    loaded: list[str] = []
    found.page.on("request", lambda request: loaded.append(request.url))
    found.open("/")
    _settled(found)
    names = {url.rsplit("/", 1)[1] for url in loaded if url.endswith(".js")}
    return [BUILD / "assets" / name for name in sorted(names)]


def test_market__initial_javascript__is_within_its_weight(browser: Browser, stage: Stage) -> None:
    """All that the first page loads, not only the entry."""
    weights = {p.name: len(gzip.compress(p.read_bytes())) for p in _initial_scripts(stage, browser)}

    assert weights
    assert sum(weights.values()) <= MAX_INITIAL_BYTES, json.dumps(weights, indent=1)


def test_text_of_users__markup_in_a_name__stays_text(browser: Browser, stage: Stage) -> None:
    """ATTACKS 38: a facility's name is text wherever it is shown."""
    name = "<img src=x onerror=alert(1)>"
    facility = stage.offer(name, operator=1)
    stage.indexed()
    found = visit(browser, base_url=stage.url)

    page = found.open(f"/tranches/{facility.token_ids[0]}")
    page.get_by_text(name).first.wait_for()

    assert page.locator("img[src=x]").count() == 0
    assert not found.complaints, found.complaints
