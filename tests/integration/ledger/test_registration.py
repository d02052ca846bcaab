"""A facility and its published terms: whatever is registered is published, also after a crash."""

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from api.db.facilities import facility_row
from api.db.session import reading
from api.db.tables.facilities import facilities
from api.domain.facility import FacilityTerms, TrancheTerms
from api.errors import Conflict, InvalidInput
from api.evidence_store import EvidenceFolder
from api.ledger.facilities import LogHome, NewFacility
from api.ledger.registration import register_and_publish
from tests.factories import DAY_S, GRACE_S, START_S, TOKEN, Ledger, device

NEW = NewFacility(
    facility_id=None,
    name="hall-2",
    gpu_class="H100-SXM5-80GB",
    site="SE-LULEA-1",
    window_start_s=START_S,
    window_end_s=START_S + 3 * DAY_S,
    expires_at_s=START_S + DAY_S,
    epoch_length_s=DAY_S,
    settlement_token=TOKEN,
    promised_availability_ppm=990_000,
    fee_bps=100,
    tranches=(TrancheTerms(10),),
    device_uuids=(device(10), device(11)),
)


class Killed(Exception):
    """The process ended here."""


def _register(ledger: Ledger, evidence: EvidenceFolder, new: NewFacility = NEW) -> FacilityTerms:
    return register_and_publish(
        ledger.engine,
        evidence,
        operator_id=ledger.operator_id,
        new=new,
        home=LogHome(),
        grace_s=GRACE_S,
        now_s=START_S,
    )


def _count(engine: Engine) -> int:
    with reading(engine) as connection:
        return connection.execute(select(func.count()).select_from(facilities)).scalar_one()


def test_register__committed__has_its_terms_published(ledger: Ledger) -> None:
    terms = _register(ledger, ledger.evidence)

    with reading(ledger.engine) as connection:
        row = facility_row(connection, terms.facility_id)
    assert row is not None
    published = ledger.evidence.read(f"facility-{terms.facility_id}/facility.json")
    assert published == row.terms_json


def test_register__killed_between_file_and_commit__same_again_goes_through(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = ledger.evidence.write

    def killed(path: str, data: bytes) -> None:
        write(path, data)
        raise Killed

    before = _count(ledger.engine)
    with monkeypatch.context() as crash:
        crash.setattr(ledger.evidence, "write", killed)
        with pytest.raises(Killed):
            _register(ledger, ledger.evidence)
    assert _count(ledger.engine) == before

    terms = _register(ledger, ledger.evidence)

    assert _count(ledger.engine) == before + 1
    assert ledger.evidence.names(f"facility-{terms.facility_id}") == ["facility.json"]


def test_register__killed_in_mid_write__leaves_no_facility_and_no_file(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(_self: Path, _target: Path) -> Path:
        raise Killed

    before = _count(ledger.engine)
    with monkeypatch.context() as crash:
        crash.setattr(Path, "replace", killed)
        with pytest.raises(Killed):
            _register(ledger, ledger.evidence)

    assert _count(ledger.engine) == before
    assert list(ledger.evidence.root.rglob("*.json")) == []
    _register(ledger, ledger.evidence)


def test_register__other_bytes_at_its_path__changes_neither(ledger: Ledger) -> None:
    """Evidence that is there may be an older database's: it is never written over."""
    path = f"facility-{ledger.facility_id + 1}/facility.json"
    ledger.evidence.write(path, b"{}")
    before = _count(ledger.engine)

    with pytest.raises(Conflict, match="exists with other bytes"):
        _register(ledger, ledger.evidence)

    assert _count(ledger.engine) == before
    assert ledger.evidence.read(path) == b"{}"
    _register(ledger, ledger.evidence, replace(NEW, facility_id=ledger.facility_id + 2))


def test_register__without_a_patience__gets_a_week_or_the_least(ledger: Ledger) -> None:
    long_epochs = replace(
        NEW, epoch_length_s=30 * DAY_S, window_end_s=START_S + 30 * DAY_S, device_uuids=[device(12)]
    )

    week, least = (_register(ledger, ledger.evidence, new) for new in (NEW, long_epochs))

    assert (week.patience_s, week.long_stop_s) == (7 * DAY_S, 180 * DAY_S)
    assert least.patience_s == 31 * DAY_S


def test_register__patience_below_grace_and_a_day__is_refused(ledger: Ledger) -> None:
    """Else an epoch could be overdue before its statement can be made."""
    hours = replace(NEW, epoch_length_s=60, patience_s=DAY_S + GRACE_S - 1)

    with pytest.raises(InvalidInput) as refused:
        _register(ledger, ledger.evidence, hours)

    assert refused.value.context["field"] == "patience_s"
    terms = _register(ledger, ledger.evidence, replace(hours, patience_s=DAY_S + GRACE_S))
    assert terms.patience_s == DAY_S + GRACE_S
