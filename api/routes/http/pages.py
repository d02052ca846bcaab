"""Addresses of the web application's pages: one list, for the server and for the router of pages.

`scripts/dev/web_types.py` writes it for `web/src/app/routes.tsx`, which does not compile while a
page of it is missing there or has no entry here.
"""

import re

# As the router writes them, without the first slash; `?` marks a last part that may be left out.
PAGES = (
    "",
    "tranches/:tokenId",
    "portfolio/:address?",
    "tx/:hash",
    "operator/:facilityId?",
    "audit",
    "facilities/:facilityId/epochs/:epoch",
    "facilities/:facilityId/epochs/:epoch/lines/:index",
    "docs",
)
# Bounds of the contracts' types: a token id is a facility's (uint64) and a byte of seniority.
_PARAMETERS = {
    "tokenId": r"\d{1,24}",
    "address": r"0x[0-9a-fA-F]{40}",
    "hash": r"0x[0-9a-fA-F]{64}",
    "facilityId": r"\d{1,19}",
    "epoch": r"\d{1,10}",
    "index": r"\d{1,10}",
}


def _pattern(page: str) -> str:
    """Regular expression of the paths of a page."""
    parts = []
    for part in page.split("/"):
        name = part.removeprefix(":").removesuffix("?")
        text = _PARAMETERS[name] if part.startswith(":") else re.escape(part)
        parts.append(f"(?:/{text})?" if part.endswith("?") else f"/{text}")
    return "".join(parts)


_ANY_PAGE = re.compile("|".join(_pattern(page) for page in PAGES))


def is_page(path: str) -> bool:
    """Whether the application has a page at a path, which begins with a slash."""
    return _ANY_PAGE.fullmatch(path) is not None
