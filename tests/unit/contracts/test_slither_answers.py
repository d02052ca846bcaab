"""Every answer of `contracts/slither.toml` is about something that is in the contracts."""

import re
import tomllib
from pathlib import Path

CONTRACTS = Path(__file__).resolve().parents[3] / "contracts"


def test_slither_answers__each_place__is_in_its_contract():
    bodies = {}
    for path in CONTRACTS.rglob("*.sol"):
        text = path.read_text()
        for name in re.findall(r"^(?:abstract )?(?:contract|library|interface) (\w+)", text, re.M):
            bodies[name] = text
    answers = tomllib.loads((CONTRACTS / "slither.toml").read_text())["answer"]

    places = [place for answer in answers for place in answer["places"]]
    gone = []
    for place in places:
        contract, _, member = place.partition(".")
        if not re.search(rf"\b{member or contract}\b", bodies.get(contract, "")):
            gone.append(place)

    assert places
    assert gone == []
