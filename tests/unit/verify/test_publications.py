"""Verify replays what a void takes back: a rejected epoch is open again, with all later ones."""

from typing import cast

import pytest

from api.chain.emitted.args import EventArgs
from api.chain.emitted.facility_registry import (
    DefaultNoticed,
    FacilityOffered,
    FacilityStateChanged,
)
from api.chain.emitted.statement_registry import (
    EvidencePublished,
    EvidenceRejected,
    StatementPosted,
    StatementVoided,
)
from api.chain.events import ChainEvent
from api.chain.terms import offered_terms
from api.domain.lifecycle import FacilityState, cured_until_s
from api.domain.statements.statement import Statement
from api.domain.units import ZERO32, ZERO_ADDRESS, Bytes32, Epoch
from api.verify.endings import EndingVerifier
from api.verify.findings import Finding
from tests.unit.values import DAY_S, START_S, TERMS

F, EVIDENCE = TERMS.facility_id, Bytes32(b"\5" * 32)
FUNDED: tuple[EventArgs, ...] = (
    FacilityOffered(F, ZERO_ADDRESS, 1, offered_terms(TERMS), TERMS.tranches),
    FacilityStateChanged(F, FacilityState.FUNDED),
)
NOW_S = START_S + 6 * DAY_S


def _published(epoch: int) -> EventArgs:
    return EvidencePublished(F, Epoch(epoch), EVIDENCE)


def _rejected(epoch: int, before: int) -> EventArgs:
    return EvidenceRejected(F, Epoch(epoch), EVIDENCE, (), before)


def _posted(epoch: int) -> EventArgs:
    statement = cast("Statement", None)  # whose epoch the event names itself
    return StatementPosted(F, Epoch(epoch), ZERO32, statement, (), 0)


def _voided(epoch: int, before: int) -> EventArgs:
    return StatementVoided(F, Epoch(epoch), 0, ZERO_ADDRESS, before)


# Two epochs published; the evidence of the second is rejected, and it is stated with a third one.
REJECTED = [_published(0), _published(1), _rejected(1, 2), *map(_posted, range(3))]


def _replay(*events: EventArgs, at_s: int = NOW_S) -> tuple[EndingVerifier, list[str]]:
    findings: list[Finding] = []
    verifier = EndingVerifier(DAY_S, findings.append)
    for block, args in enumerate(FUNDED):
        verifier.take(ChainEvent(block, START_S - 1, 0, ZERO32, "FacilityRegistry", args))
    for block, args in enumerate(events):
        verifier.take(ChainEvent(9 + block, at_s, 0, ZERO32, "StatementRegistry", args))
    return verifier, [finding.message for finding in findings]


@pytest.mark.parametrize(
    ("events", "first_open"),
    [
        ([*map(_posted, range(3)), _voided(1, 3)], 3),
        ([*REJECTED, _voided(2, 3)], 3),
        ([*REJECTED, _voided(1, 3)], 1),
        ([*REJECTED, _voided(0, 3)], 1),
        ([*REJECTED, _voided(1, 3), _posted(1), _voided(0, 2)], 1),
    ],
    ids=["no rejection", "after it", "of it", "before it", "again"],
)
def test_void__of_epochs_that_stood__leaves_them_published_up_to_a_rejected_one(
    events: list[EventArgs], first_open: int
) -> None:
    verifier, findings = _replay(*events)

    assert verifier.lives[F].first_open == first_open
    assert findings == []


@pytest.mark.parametrize(("evidence", "stands"), [(ZERO32, True), (EVIDENCE, False)])
def test_reject__epoch_that_a_void_left_published__has_no_hash(
    evidence: Bytes32, stands: bool
) -> None:
    """What was published of it is forgotten: a rejection of an earlier epoch took it back."""
    first = [_published(0), _published(1), _rejected(0, 2), _posted(0), _posted(1), _voided(1, 2)]

    verifier, findings = _replay(*first, EvidenceRejected(F, Epoch(1), evidence, (), 2))

    assert verifier.lives[F].first_open == 1
    assert findings == (
        [] if stands else ["was rejected for evidence that did not stand published"]
    )


@pytest.mark.parametrize(
    ("stated", "waited_s", "expected"),
    [
        (TERMS.epoch_count + 1, DAY_S, []),
        (TERMS.epoch_count + 1, DAY_S - 1, ["matured before every statement was final"]),
        (TERMS.epoch_count, DAY_S, ["matured before every statement was final"]),
    ],
)
def test_maturity__needs_every_statement_to_be_final(
    stated: int, waited_s: int, expected: list[str]
) -> None:
    verifier, findings = _replay(*map(_posted, range(stated)))
    assert findings == []

    said: list[Finding] = []
    verifier._report = said.append
    matured = FacilityStateChanged(F, FacilityState.MATURED)
    verifier.take(ChainEvent(99, NOW_S + waited_s, 0, ZERO32, "FacilityRegistry", matured))

    assert [finding.message for finding in said] == expected


def test_notice__in_the_second_of_a_rejection__is_a_second_too_early() -> None:
    now_s = START_S + 2 * DAY_S + TERMS.patience_s
    cure_s = cured_until_s(now_s, epoch_length_s=TERMS.epoch_length_s)
    notice = DefaultNoticed(F, Epoch(1), ZERO_ADDRESS, cure_s)

    _, apart = _replay(notice, at_s=now_s)
    _, together = _replay(*REJECTED[:3], notice, at_s=now_s)

    assert apart == []
    assert together == [f"was noticed, and is overdue from {now_s + 1}"]
