"""Golden evidence of whole facilities: `python -m tests.evidence_vectors` writes it.

tests/unit/statements/test_evidence.py compares the file with what this module makes; the web
application's tests recompute every hash in it from the files' text.
"""

import json
from pathlib import Path
from typing import Any

from api.domain.hashing import sha256
from api.domain.statements.closing import ClosedEpoch
from api.domain.statements.evidence import FACILITY_FILE, encode_facility, encode_statement, hex32
from api.domain.statements.statement import statement_digest, statement_hash
from tests.ledgers import Ledger, closed_books, facility

FILE = Path(__file__).parent / "vectors" / "evidence.json"
# Both have lines and facts of every kind, keys that come and go, and a closing statement below
# zero; of the first a part is signed, the second is signed as a whole.
SEEDS = (108, 33)
CHAIN_ID = 31_337
REGISTRY = "0x" + "33" * 20


def _epoch(closed: ClosedEpoch) -> dict[str, Any]:
    statement = closed.statement
    return {
        "files": {
            **{n: d.decode() for n, d in sorted(closed.files.items()) if n != FACILITY_FILE},
            "statement.json": encode_statement(statement).decode(),
        },
        "statement_hash": hex32(statement_hash(statement)),
        "digest": hex32(statement_digest(statement, chain_id=CHAIN_ID, registry=REGISTRY)),
        "root": hex32(closed.tree.root),
        "proofs": [[hex32(n) for n in closed.tree.proof(i)] for i in range(len(closed.lines))],
    }


def text() -> str:
    """The file's text."""
    terms = facility()
    terms_json = encode_facility(terms)
    document = {
        "chain_id": CHAIN_ID,
        "registry": REGISTRY,
        "facility": {
            "text": terms_json.decode(),
            "terms_hash": hex32(sha256(terms_json)),
            "pledge_root": hex32(terms.pledge_tree.root),
        },
        "epochs": [_epoch(x) for seed in SEEDS for x in closed_books(Ledger(seed, terms))],
    }
    return json.dumps(document, indent=1) + "\n"


if __name__ == "__main__":
    FILE.write_text(text())
