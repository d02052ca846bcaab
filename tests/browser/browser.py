"""A real Chromium with a wallet of tests, and what every page must keep: no error, no violation."""

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

WEB = Path(__file__).resolve().parents[2] / "web"
_AXE = WEB / "node_modules" / "axe-core" / "axe.min.js"
_WALLET = Path(__file__).with_name("wallet.js")
_NAMES = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# A page that waits longer than this for its own stack is broken; the machine may be busy.
PATIENCE_MS = 30_000
expect.set_options(timeout=PATIENCE_MS)
# Waits for every animation that has an end; what is just being shown begins its own a frame or two
# later.
_STILL = """new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))
  .then(() => Promise.all(document.getAnimations()
    .filter(a => a.effect.getComputedTiming().iterations !== Infinity)
    .map(a => a.finished.catch(() => null)))).then(() => null)"""
# What the browser says of a request that was answered with an error: the page shows it in words.
_ANSWERED = "Failed to load resource: the server responded with a status of 4"


def chromium_path() -> str:
    """Chromium of this machine. Without one the tests are skipped; in CI they fail."""
    found = next((path for name in _NAMES if (path := shutil.which(name))), None)
    if found is None and os.environ.get("RENTROLL_BROWSER") == "required":
        pytest.fail("no Chromium, and RENTROLL_BROWSER=required")
    if found is None:
        pytest.skip("no Chromium on this machine: browser tests need one (Debian: chromium)")
    return found


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Chromium without a window."""
    path = chromium_path()
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(_FLAGS))
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Visit:
    """A page of one visitor, with everything that it complained about."""

    page: Page
    base_url: str
    complaints: list[str] = field(default_factory=list)

    def open(self, path: str) -> Page:
        """Go to a path of the application."""
        self.page.goto(self.base_url + path)
        self.page.get_by_role("heading", level=1).first.wait_for()
        return self.page

    def wallet(self, call: str) -> Any:
        """Do something in the wallet, as its owner would: `declineNext()`, `moveTo('0x1')`."""
        return self.page.evaluate(f"window.__wallet.{call}")

    def connect(self) -> None:
        """Connect the wallet of tests by the page's own button."""
        self.page.get_by_role("banner").get_by_role("button", name="Connect wallet").click()
        self.page.get_by_role("button", name="Test Wallet").click()
        # Pages of a demo have another button, "Test accounts".
        self.page.get_by_role("banner").get_by_role("button", name="Account").wait_for()

    def axe(self) -> list[str]:
        """Violations of accessibility rules, each with its first element."""
        # Halfway through a change of colours nothing has its contrast.
        self.page.evaluate(_STILL)
        self.page.evaluate(_AXE.read_text())
        found = self.page.evaluate(
            "axe.run().then(r => r.violations.map(v => [v.id, v.nodes.length, v.nodes[0].html]))"
        )
        return [f"{rule} ({count}): {html[:200]}" for rule, count, html in found]

    def assert_clean(self) -> None:
        """Nothing loads any more, no rule of accessibility is broken, nothing complained."""
        expect(self.page.locator("[aria-busy=true]")).to_have_count(0, timeout=PATIENCE_MS)
        assert not (wrong := self.axe()), wrong
        assert not self.complaints, self.complaints


def _listen(visit: Visit) -> None:
    def on_console(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not message.text.startswith(_ANSWERED):
            visit.complaints.append(f"{message.type}: {message.text}")

    visit.page.on("console", on_console)
    visit.page.on("pageerror", lambda error: visit.complaints.append(f"error: {error}"))
    # A page may speak to its own origin and to the chain's node, and to nobody else.
    visit.page.on(
        "request",
        lambda request: (
            None
            if request.url.startswith(("http://127.0.0.1:", "data:", "blob:"))
            else visit.complaints.append(f"request to a third party: {request.url}")
        ),
    )


def visit(
    browser: Browser,
    *,
    base_url: str,
    rpc_url: str | None = None,
    account: str | None = None,
    chain_id: int = 31_337,
    owners: Sequence[str] = (),
    width: int = 1_280,
    scheme: str = "light",
) -> Visit:
    """A new visitor; with `account`, one with a wallet that holds it.

    `chain_id` is where the wallet stands at first. With `owners`, `account` is a contract, and
    these keys sign for it.
    """
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if scheme == "dark" else "light",
        # A dialog that fades in is not yet what its reader sees.
        reduced_motion="reduce",
        accept_downloads=True,
        permissions=["clipboard-read", "clipboard-write"],
    )
    context.set_default_timeout(PATIENCE_MS)
    if account is not None and rpc_url is not None:
        node = httpx.Client(base_url=rpc_url, timeout=60)
        context.on("close", lambda _: node.close())

        def rpc(text: str) -> str:
            return node.post("", json={"jsonrpc": "2.0", "id": 1, **json.loads(text)}).text

        place = {"chainId": hex(chain_id), "knows": [hex(chain_id)]}
        start = {"account": account, "owners": list(owners), **place}
        context.expose_function("__rpc", rpc)
        context.add_init_script(f"window.__walletStart = {json.dumps(start)};")
        context.add_init_script(path=_WALLET)
    found = Visit(context.new_page(), base_url)
    _listen(found)
    return found
