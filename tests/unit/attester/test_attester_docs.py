"""docs/ATTESTER.md: every setting and field is there."""

import re
import tomllib
from pathlib import Path

from api.attester.settings_text import settings_text
from api.domain.statements.refusal_files import SignedRefusal, refusal_document
from api.domain.statements.refusals import NO_HASH, Refusal, RefusalCode
from api.domain.units import Epoch, FacilityId
from tests.unit.statements.test_refusal_files import SIGNED_TWICE

ROOT = Path(__file__).resolve().parents[3]
DOCUMENT = (ROOT / "docs" / "ATTESTER.md").read_text()


def test_settings__every_one__is_in_the_document() -> None:
    text = settings_text(url="https://x", rpc_url="http://y", registry="0x")
    names = re.findall(r"^(?:# )?([a-z_]+) = ", text, re.MULTILINE)

    assert len(set(names)) > 15
    assert {name for name in names if f"`{name}`" not in DOCUMENT} == set()
    for table in tomllib.loads(text):
        assert f"`[{table}]`" in DOCUMENT
    for kind in ("keystore", "raw", "web3signer", "kms"):
        assert f"| `{kind}` |" in DOCUMENT


def test_refusal__every_field_and_code__is_in_the_document() -> None:
    refusal = Refusal(
        FacilityId(1), Epoch(0), NO_HASH, NO_HASH, NO_HASH, 0, 0, RefusalCode.NOT_RECOMPUTED
    )
    document = refusal_document(SignedRefusal(refusal, "0x", b"", 1, "0x", fork=SIGNED_TWICE))

    assert {field for field in document if f"`{field}`" not in DOCUMENT} == set()
    for code in RefusalCode:
        assert f"| `{code.name.lower()}` |" in DOCUMENT
