"""Every state of wallet and transaction that a buyer or holder can come into."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from scripts.demo.sources import Facility
from scripts.dev.stack import HOLDERS, wallet
from tests.browser.browser import PATIENCE_MS, Visit, visit
from tests.browser.stage import Stage

pytestmark = [pytest.mark.slow, pytest.mark.chain]
BUYER, STRANGER, POOR = 21, 22, 23
MAINNET = 1


@pytest.fixture(scope="module")
def sale(stage: Stage) -> Facility:
    """A facility whose sale is open, and a buyer with dollars."""
    facility = stage.offer("wharf", operator=1)
    stage.open_sale(facility)
    for index in (BUYER, STRANGER):
        stage.give_dollars(wallet(index).address, 10_000)
    for index in (BUYER, POOR):
        stage.onboard(wallet(index).address)
    stage.indexed()
    return facility


@pytest.fixture
def stopped_chain(stage: Stage) -> Iterator[Stage]:
    """Transactions stay pending until the test mines."""
    stage.rpc("evm_setAutomine", False)
    yield stage
    stage.rpc("evm_setAutomine", True)
    stage.rpc("evm_mine")


def _buyer(
    browser: Browser, stage: Stage, sale: Facility, index: int = BUYER, chain_id: int = 31_337
) -> tuple[Visit, Page]:
    found = visit(
        browser,
        base_url=stage.url,
        rpc_url=stage.rpc_url,
        account=wallet(index).address,
        chain_id=chain_id,
    )
    page = found.open(f"/tranches/{sale.token_ids[0]}")
    found.connect()
    return found, page


def _order(page: Page, units: int = 1) -> None:
    card = page.get_by_role("region", name="Buy")
    card.get_by_role("textbox", name="Units").fill(str(units))
    card.get_by_role("button", name=re.compile("^(Buy|Sign|Allow)")).first.click()


def test_wallet__none_in_this_browser__says_so(browser: Browser, stage: Stage) -> None:
    found = visit(browser, base_url=stage.url)
    page = found.open("/")

    page.get_by_role("banner").get_by_role("button", name="Connect wallet").click()

    expect(page.get_by_text("No wallet was found in this browser.")).to_be_visible()
    assert not found.complaints, found.complaints


def test_wallet__declined_connection__says_so(browser: Browser, stage: Stage) -> None:
    account = wallet(BUYER).address
    found = visit(browser, base_url=stage.url, rpc_url=stage.rpc_url, account=account)
    page = found.open("/")
    found.wallet("declineNext()")

    page.get_by_role("banner").get_by_role("button", name="Connect wallet").click()
    page.get_by_role("button", name="Test Wallet").click()

    expect(page.get_by_role("alert")).to_contain_text("You declined")


def test_wallet__on_another_chain__is_offered_ours_and_switches(
    browser: Browser, stage: Stage, sale: Facility
) -> None:
    found, page = _buyer(browser, stage, sale, chain_id=MAINNET)
    found.wallet("state.knows.length = 0")

    banner = page.get_by_role("alert").filter(has_text="Your wallet is on chain 1")
    banner.get_by_role("button", name=re.compile("^Switch to")).click()

    expect(banner).to_have_count(0)
    added = found.page.evaluate("window.__wallet.state.added")
    assert added["rpcUrls"] == [stage.rpc_url]
    assert int(added["chainId"], 16) == 31_337


def test_buy__declined__nothing_is_sent(browser: Browser, stage: Stage, sale: Facility) -> None:
    found, page = _buyer(browser, stage, sale)
    before = int(stage.rpc("eth_getTransactionCount", wallet(BUYER).address, "latest"), 16)
    found.wallet("declineNext()")

    _order(page)

    expect(page.get_by_text("You declined in the wallet.").first).to_be_visible()
    after = int(stage.rpc("eth_getTransactionCount", wallet(BUYER).address, "latest"), 16)
    assert after == before


def test_buy__not_on_the_allow_list__is_refused_by_name(
    browser: Browser, stage: Stage, sale: Facility
) -> None:
    _, page = _buyer(browser, stage, sale, index=STRANGER)

    card = page.get_by_role("region", name="Buy")

    expect(card.get_by_text(re.compile("allow-list")).first).to_be_visible()


def test_buy__too_little_money__says_what_is_missing(
    browser: Browser, stage: Stage, sale: Facility
) -> None:
    _, page = _buyer(browser, stage, sale, index=POOR)

    card = page.get_by_role("region", name="Buy")
    card.get_by_role("textbox", name="Units").fill("2")

    expect(card.get_by_text(re.compile("This account has 0.000000 mUSD")).first).to_be_visible()


def _claimer(browser: Browser, stage: Stage) -> tuple[Visit, Page]:
    holder = wallet(HOLDERS[1]).address
    found = visit(browser, base_url=stage.url, rpc_url=stage.rpc_url, account=holder)
    page = found.open(f"/portfolio/{holder}")
    found.connect()
    return found, page


def _send_claim(page: Page) -> None:
    page.get_by_role("button", name=re.compile("^Claim all")).click()
    expect(page.get_by_text(re.compile("waiting for a block")).first).to_be_visible()


def _pending(stage: Stage, page: Page, account: str) -> dict[str, str]:
    """What the node holds back, once the page knows its nonce too: by that it sees replacements."""
    known = "JSON.parse(localStorage.getItem('rentroll.transactions'))[0].nonce"
    stage.stack.wait("the page to know the nonce", lambda: page.evaluate(known) is not None)
    pool = stage.rpc("txpool_content")["pending"]
    mine = next(v for k, v in pool.items() if k.lower() == account.lower())
    return dict(next(iter(mine.values())))


def test_claim__pending_over_a_reload__ends_in_success(
    browser: Browser, stopped_chain: Stage
) -> None:
    stage = stopped_chain
    stage.pass_time(3_600)
    found, page = _claimer(browser, stage)
    _send_claim(page)

    page.reload()
    page.get_by_role("button", name=re.compile("^Account")).wait_for()
    expect(page.get_by_role("button", name=re.compile("^Account"))).to_contain_text("1 pending")
    stage.rpc("evm_mine")

    expect(page.get_by_role("button", name=re.compile("^Account"))).not_to_contain_text("pending")
    assert not found.complaints, found.complaints


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("repriced", "with the raised fee"),
        ("cancelled", "cancelled in the wallet"),
        ("replaced", "another transaction took its place"),
    ],
)
def test_claim__another_mined_in_its_place__says_which(
    browser: Browser, stopped_chain: Stage, kind: str, words: str
) -> None:
    stage = stopped_chain
    # Time goes on, so that something more has streamed or, if not, was left by the claim before.
    holder = wallet(HOLDERS[{"repriced": 2, "cancelled": 3, "replaced": 4}[kind]]).address
    stage.pass_time(60)
    found = visit(browser, base_url=stage.url, rpc_url=stage.rpc_url, account=holder)
    page = found.open(f"/portfolio/{holder}")
    found.connect()
    _send_claim(page)
    sent = _pending(stage, page, holder)
    other = {
        "repriced": {"to": sent["to"], "data": sent["input"]},
        "cancelled": {"to": holder, "data": "0x"},
        "replaced": {"to": wallet(30).address, "data": "0x"},
    }[kind]
    fee = hex(int(sent.get("maxFeePerGas", sent.get("gasPrice", "0x1")), 16) * 2)
    stage.rpc(
        "eth_sendTransaction",
        {
            "from": holder,
            "nonce": sent["nonce"],
            "gas": hex(1_000_000),
            "maxFeePerGas": fee,
            "maxPriorityFeePerGas": fee,
            **other,
        },
    )

    stage.rpc("evm_mine")

    expect(page.get_by_text(re.compile(words)).first).to_be_visible(timeout=PATIENCE_MS)


def test_claim__reverts_in_its_block__says_why(browser: Browser, stopped_chain: Stage) -> None:
    """Simulated fine, then the stablecoin stops working before the claim's block."""
    stage = stopped_chain
    holder = wallet(HOLDERS[0]).address
    stage.pass_time(60)
    found = visit(browser, base_url=stage.url, rpc_url=stage.rpc_url, account=holder)
    page = found.open(f"/portfolio/{holder}")
    found.connect()
    _send_claim(page)
    token = stage.stack.deployment.settlement_token
    code = stage.rpc("eth_getCode", token, "latest")

    stage.rpc("anvil_setCode", token, "0x5f5ffd")
    try:
        stage.rpc("evm_mine")
        expect(page.get_by_text(re.compile("refused by the contract")).first).to_be_visible()
    finally:
        stage.rpc("anvil_setCode", token, code)
