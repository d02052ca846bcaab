"""Serving of the web application: pages, assets, headers, and what happens without a build."""

import json
import re
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.main import create_app
from api.routes.http.pages import PAGES
from api.routes.http.web import NOT_BUILT
from api.settings import Settings
from scripts.dev.web_types import pages

ROOT = Path(__file__).resolve().parents[3]
RPC = "https://node.example:8545/key"
PAGE = '<meta name="style-nonce" content="__STYLE_NONCE__"><title>Rentroll</title>'
HTML = {"Accept": "text/html"}


def _client(folder: Path, web_dir: Path) -> TestClient:
    settings = Settings(
        _env_file=None,  # type: ignore[call-arg]
        database_url=f"sqlite:///{folder}/rentroll.db",
        rpc_url=RPC,
        deployment_file=folder / "none.json",
        evidence_dir=folder / "evidence",
        web_dir=web_dir,
    )
    return TestClient(create_app(settings))


@pytest.fixture
def client(tmp_path: Path) -> TestClient:
    (tmp_path / "web" / "assets").mkdir(parents=True)
    (tmp_path / "web" / "index.html").write_text(PAGE)
    (tmp_path / "web" / "assets" / "index-1a2b.js").write_text("export {};")
    (tmp_path / "web" / "assets" / "large-3c4d.js").write_text("export {};" * 1_000)
    return _client(tmp_path, tmp_path / "web")


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/tranches/256",
        "/portfolio",
        "/portfolio/0x" + "a" * 40,
        "/tx/0x" + "b" * 64,
        "/operator",
        "/operator/7",
        "/audit",
        "/facilities/1/epochs/0",
        "/facilities/1/epochs/0/lines/3",
        "/docs",
    ],
)
def test_page__known_route__is_served_with_a_fresh_nonce(client: TestClient, path: str) -> None:
    first, second = client.get(path, headers=HTML), client.get(path, headers=HTML)

    nonces = [re.search(r'content="([^"]+)"', answer.text) for answer in (first, second)]
    assert first.status_code == 200
    assert nonces[0] is not None
    assert nonces[1] is not None
    assert nonces[0][1] != nonces[1][1]
    assert f"'nonce-{nonces[0][1]}'" in first.headers["content-security-policy"]
    assert first.headers["cache-control"] == "no-store"


def test_page__policy__allows_no_inline_script_and_no_third_party(client: TestClient) -> None:
    policy = client.get("/", headers=HTML).headers["content-security-policy"]

    directives = dict(part.split(" ", 1) for part in policy.split("; "))
    assert directives["script-src"] == "'self'"
    assert directives["default-src"] == "'none'"
    assert directives["connect-src"] == "'self' https://node.example:8545"
    assert directives["frame-ancestors"] == "'none'"
    assert "unsafe" not in policy


def test_page__unknown_route__is_the_page_with_status_404(client: TestClient) -> None:
    answer = client.get("/no-such-page", headers=HTML)

    assert answer.status_code == 404
    assert "Rentroll" in answer.text


def test_page__wrong_method__stays_405(client: TestClient) -> None:
    answer = client.post("/v1/status", headers=HTML)

    assert answer.status_code == 405


@pytest.mark.parametrize("path", ["/v1/no-such", "/v1/facilities/1/no-such"])
def test_api__unknown_path__is_a_problem_also_for_browsers(client: TestClient, path: str) -> None:
    answer = client.get(path, headers=HTML)

    assert answer.status_code == 404
    assert answer.json()["code"] == "not_found"


def test_assets__hashed_file__is_cached_for_good(client: TestClient) -> None:
    answer = client.get("/assets/index-1a2b.js")

    assert answer.status_code == 200
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "path", ["/assets/no-such.js", "/assets/../index.html", "/assets/%2e%2e/x"]
)
def test_assets__unknown_or_outside__is_not_found(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_answers__api_data__may_run_nothing(client: TestClient) -> None:
    headers = client.get("/health").headers

    assert headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert headers["x-frame-options"] == "DENY"


def test_page__without_a_build__api_starts_and_says_so(tmp_path: Path) -> None:
    client = _client(tmp_path, tmp_path / "web")

    answer = client.get("/", headers=HTML)

    assert answer.status_code == 200
    assert answer.text == NOT_BUILT
    assert client.get("/health").status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/tranches",
        "/tranches/x",
        "/portfolio/0x" + "a" * 39,
        "/tx/0x" + "b" * 65,
        "/operator/1/2",
        "/facilities/1/epochs/0/lines",
        "/facilities/1/epochs/-1",
        "/docs/",
    ],
)
def test_page__malformed_route__has_status_404(client: TestClient, path: str) -> None:
    assert client.get(path, headers=HTML).status_code == 404


def test_pages__application__is_compiled_against_the_servers_list() -> None:
    source = (ROOT / "web" / "src" / "app" / "routes.tsx").read_text()

    named = pages().split("Page = ")[1].strip(";\n").split(" | ")

    assert [json.loads(name) for name in named] == list(PAGES)
    # A record of all pages: the compiler refuses one that is missing, and one too many.
    assert "Record<Page, PageRoute>" in source
