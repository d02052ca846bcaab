"""The built web application, from the API's own origin, under a strict content security policy."""

import gzip
import secrets
from mimetypes import guess_type
from pathlib import Path
from stat import S_ISREG
from urllib.parse import urlsplit

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, PlainTextResponse
from fastapi.staticfiles import StaticFiles
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.routes.http.pages import is_page

NOT_BUILT = (
    "The API is running. The web application is not built: run `make web`, which needs Node 20 or"
    " later, and restart. The API's documentation is at /openapi.json.\n"
)
_NONCE = "__STYLE_NONCE__"
# Below this, compression saves nothing that is felt.
_LEAST_BYTES = 1_024


def policy(rpc_url: str, nonce: str) -> str:
    """Content-Security-Policy: own scripts only, styles by nonce, and requests to us and the node.

    Only the node that the browser reads the chain from is a second origin.
    """
    parts = urlsplit(rpc_url)
    node = f"{parts.scheme}://{parts.netloc}"
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            f"style-src 'self' 'nonce-{nonce}'",
            "img-src 'self' data:",
            "font-src 'self'",
            f"connect-src 'self' {node}",
            "worker-src 'self'",
            "manifest-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )


class _Headers:
    """Headers that every answer carries, unless it has its own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                # Data is never a document: nothing in it may run, whatever it quotes.
                headers.setdefault("Content-Security-Policy", "default-src 'none'; sandbox")
                headers.setdefault("X-Content-Type-Options", "nosniff")
                headers.setdefault("Referrer-Policy", "no-referrer")
                headers.setdefault("X-Frame-Options", "DENY")
                headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
            await send(message)

        await self._app(scope, receive, with_headers)


class WebPages:
    """The page of the single-page application, or a sentence where it is not built."""

    def __init__(self, folder: Path, rpc_url: str) -> None:
        self._index, self._rpc_url = folder / "index.html", rpc_url

    def answer(self, path: str) -> Response:
        """The page for a path, with a nonce of its own; 404 where no route of the page is meant."""
        known = is_page(path)
        # Read each time: a kilobyte, and a new build counts at once.
        if not self._index.is_file():
            return PlainTextResponse(NOT_BUILT, 200 if path == "/" else 404)
        nonce = secrets.token_urlsafe(16)
        return HTMLResponse(
            self._index.read_text().replace(_NONCE, nonce),
            200 if known else 404,
            headers={
                "Content-Security-Policy": policy(self._rpc_url, nonce),
                # The nonce is of this answer alone.
                "Cache-Control": "no-store",
            },
        )


def wants_page(request: Request) -> bool:
    """Whether a request that no route answers is a browser opening a page."""
    if request.method not in ("GET", "HEAD"):
        return False
    # A script or a call that is missing must fail as such, not receive a page.
    path = request.url.path
    if path.startswith(("/v1/", "/assets/")):
        return False
    return path == "/" or "text/html" in request.headers.get("accept", "")


class _Assets(StaticFiles):
    """Files whose names hold the hash of their content: cached for good, compressed once."""

    def __init__(self, folder: Path) -> None:
        super().__init__(directory=folder)
        self._packed: dict[str, tuple[bytes, str | None] | None] = {}
        # Now, so that the first visitor does not wait for it.
        for file in folder.iterdir():
            self._pack(file.name)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Answer of a file: from memory where the browser takes gzip."""
        takes_gzip = "gzip" in Headers(scope=scope).get("accept-encoding", "")
        packed = self._pack(path) if takes_gzip and scope["method"] == "GET" else None
        if packed is None:
            response = await super().get_response(path, scope)
        else:
            response = Response(packed[0], media_type=packed[1])
            response.headers["Content-Encoding"] = "gzip"
        response.headers["Vary"] = "Accept-Encoding"
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response

    def _pack(self, path: str) -> tuple[bytes, str | None] | None:
        """Compressed bytes and media type of a file that is worth it."""
        if path not in self._packed:
            full, status = self.lookup_path(path)
            if status is None or not S_ISREG(status.st_mode):
                return None
            worth_it = status.st_size >= _LEAST_BYTES
            # mtime=0: the same build always compresses to the same bytes.
            packed = gzip.compress(Path(full).read_bytes(), mtime=0) if worth_it else None
            self._packed[path] = None if packed is None else (packed, guess_type(full)[0])
        return self._packed[path]


def install(app: FastAPI, folder: Path) -> None:
    """Serve the files of a build of `web/`, and give every answer its headers."""
    if (folder / "assets").is_dir():
        app.mount("/assets", _Assets(folder / "assets"), name="assets")
    app.add_middleware(_Headers)
