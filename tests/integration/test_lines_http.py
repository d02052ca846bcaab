"""Lines and proofs over HTTP: what a browser needs to check them without asking anything else."""

import pytest

from api.domain.hashing import word
from api.domain.merkle import leaf_hash, verify_proof
from api.pipeline.close import close_due
from tests.factories import DAY_S, GRACE_S, HOUR_S, START_S
from tests.integration.service import Service

_KINDS = ("usage", "delivery", "shortfall", "sla_credit", "late_usage", "void")


@pytest.fixture
def closed(service: Service) -> Service:
    """Two closed epochs; the second has usage, late usage and a void."""
    ledger = service.ledger
    wrong = ledger.usage(0, 0, HOUR_S)
    ledger.codes(wrong, ledger.usage(1, 0, 2 * HOUR_S))
    for day in (1, 2):
        ledger.clock.now_s = START_S + day * DAY_S + GRACE_S
        if day == 2:
            ledger.clock.now_s -= HOUR_S
            late = ledger.usage(2, 0, HOUR_S)
            ledger.codes(late, ledger.void(wrong), ledger.usage(0, DAY_S, DAY_S + HOUR_S))
            ledger.clock.now_s += HOUR_S
        close_due(ledger.engine, ledger.evidence, ledger.clock.now_s)
    return service


def test_lines__of_several_kinds__are_counted_in_their_order(closed: Service) -> None:
    folder = f"/v1/facilities/{closed.ledger.facility_id}/epochs"

    found = closed.client.get(f"{folder}/1/lines", params={"limit": 1}).json()
    everything = closed.client.get(f"{folder}/1/lines").json()["lines"]

    assert found["kinds"] == {"usage": 1, "late_usage": 1, "void": 1}
    assert list(found["kinds"]) == [line["kind"] for line in everything]
    assert closed.client.get(f"{folder}/0/lines").json()["kinds"] == {"usage": 2}


def test_proof__alone__holds_all_that_its_leaf_and_root_are_made_of(closed: Service) -> None:
    folder = f"/v1/facilities/{closed.ledger.facility_id}/epochs/1"
    root = closed.client.get(folder).json()["usage_root"]

    for index in range(3):
        proof = closed.client.get(f"{folder}/lines/{index}/proof").json()
        line = proof["line"]
        words = [word(proof["facility_id"]), word(proof["epoch"]), word(line["index"])]
        words += [word(_KINDS.index(line["kind"]))]
        words += [bytes.fromhex(line[name][2:]) for name in ("device", "lease")]
        words += [word(line[name]) for name in ("start_s", "end_s", "gpu_seconds")]
        words += [word(line["charge_micros"]), word(line["cumulative_gpu_seconds"])]
        leaf = leaf_hash(b"".join((*words, word(line["cumulative_charge_micros"]))))
        nodes = [bytes.fromhex(node[2:]) for node in proof["proof"]]
        assert proof["leaf"] == "0x" + leaf.hex()
        assert verify_proof(bytes.fromhex(root[2:]), leaf, nodes)
