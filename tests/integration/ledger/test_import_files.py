"""`rentroll import sacct|philly|csv|leases|devices` against the real service: rows and answers."""

import csv
import json
from pathlib import Path

from api.domain.hashing import device_hash
from api.domain.metering.instants import format_instant
from tests.factories import DAY_S, HOUR_S, START_S, device
from tests.integration.ledger.desk import CSV_MAP, Desk, use_row, use_table

DIRTY = use_table(
    use_row("good", 0, 0, HOUR_S),
    use_row("zero", 0, HOUR_S, HOUR_S),
    use_row("negative", 0, 2 * HOUR_S, HOUR_S),
    use_row("overlap", 0, 60, 120),
    use_row("good", 0, 0, HOUR_S),
    use_row("early", 1, -HOUR_S, HOUR_S),
    use_row("future", 1, 2 * DAY_S, 2 * DAY_S + 60),
    use_row("stranger", 9, 0, HOUR_S),
    use_row("no lease", 1, 0, HOUR_S, "lease-z"),
    use_row("full", 1, 0, HOUR_S, "lease-b"),
    use_row("fuller", 2, 0, HOUR_S, "lease-b"),
    use_row("gpu name", 1, 0, HOUR_S).replace("GPU-", "gpu-"),
    use_row("no end", 3, 0, HOUR_S).rpartition(",")[0] + ",",
    use_row("=HYPERLINK(1)", 3, 60, 60),
)
REFUSED = [
    (3, "interval_empty"), (4, "interval_empty"), (5, "overlap"), (7, "outside_window"),
    (8, "in_the_future"), (9, "device_unknown"), (10, "lease_unknown"), (12, "over_capacity"),
    (13, "malformed_event"), (14, "still_running"), (15, "interval_empty"),
]  # fmt: skip


def test_import_csv__dirty_rows__are_judged_one_by_one_and_reported(desk: Desk) -> None:
    """ATTACKS 31, 39."""
    mapping, file = desk.file("map.toml", CSV_MAP), desk.file("use.csv", DIRTY)
    report = desk.folder / "refused.csv"
    options = ("--mapping", str(mapping), "--report", str(report))

    dry = desk.summary("csv", file, *options, "--dry-run", code=1)
    foreseen = report.read_text()
    recorded_dry = desk.service.pushed()
    first = desk.summary("csv", file, *options, code=1)
    listed = report.read_text()
    again = desk.summary("csv", file, *options, code=1)

    assert recorded_dry == 0
    assert dry == {**first, "dry_run": True}
    assert foreseen == listed
    assert (first["accepted"], first["duplicates"], first["accepted_gpu_seconds"]) == (2, 1, 7_200)
    assert (again["accepted"], again["duplicates"]) == (0, 3)
    assert again["refused"] == first["refused"]
    with report.open(newline="") as opened:
        rows = list(csv.DictReader(opened))
    assert [(int(row["line"]), row["reason"]) for row in rows] == REFUSED
    assert {row["file"] for row in rows} == {"use.csv"}
    by_line = {row["line"]: row for row in rows}
    assert by_line["5"]["device"] == device(0)
    assert by_line["5"]["start"] == format_instant(START_S + 60)
    assert by_line["5"]["source"] == "import/csv"
    assert len(by_line["5"]["id"]) == 40
    assert by_line["5"]["detail"].endswith("from 2026-01-01T00:00:00Z to 2026-01-01T01:00:00Z")
    assert by_line["14"]["to_do"] == "Import the row again when it has an end."
    # A job's name is no formula to whoever opens the report.
    assert by_line["15"]["job"] == "'=HYPERLINK(1)"
    assert not list(desk.folder.glob("*.part"))


def test_import_csv__row_that_changed__is_a_conflict_that_says_what_to_do(desk: Desk) -> None:
    mapping = desk.file("map.toml", CSV_MAP)
    file = desk.file("use.csv", use_table(use_row("j1", 0, 0, HOUR_S)))
    desk.summary("csv", file, "--mapping", str(mapping), code=0)
    file.write_text(use_table(use_row("j1", 0, 0, 2 * HOUR_S)))

    result = desk.run("csv", file, "--mapping", str(mapping))

    assert result.exit_code == 1
    assert json.loads(result.stdout)["refused"] == {"id_conflict": 1}
    assert "use.csv:2: id_conflict: it was imported otherwise before" in result.stderr
    assert "action replace or void" in result.stderr
    assert desk.held() == {device_hash(device(0)): HOUR_S}


def test_import_sacct_and_philly__by_command__bill_devices_of_nodes(desk: Desk) -> None:
    devices = f'[devices]\ncomplete = true\n[devices.n1]\n0 = "{device(0)}"\n1 = "{device(1)}"\n'
    slurm = desk.file("s.toml", '[lease]\ncolumn = "Account"\n' + devices)
    jobs = desk.file(
        "jobs.txt",
        "JobIDRaw|Account|Start|End|NodeList|AllocTRES\n"
        "1|lease-a|2026-01-01T01:00:00|2026-01-01T02:00:00|n1|gres/gpu=2\n"
        "1.0|lease-a|2026-01-01T01:00:00|2026-01-01T02:00:00|n1|gres/gpu=2\n"
        "2|lease-a|2026-01-01T03:00:00|2026-01-01T04:00:00|n1|gres/gpu=1\n",
    )
    philly = desk.file("p.toml", '[lease]\nid = "lease-a"\n' + devices)
    attempt = {
        "start_time": "2025-12-31 20:00:00",
        "end_time": "2025-12-31 20:00:10",
        "detail": [{"ip": "n1", "gpus": ["1"]}],
    }
    table = desk.file("p.json", json.dumps([{"jobid": "p1", "attempts": [attempt]}]))

    zone = ("--timezone", "Europe/Oslo")
    first = desk.summary("sacct", jobs, "--mapping", str(slurm), *zone, code=1)
    second = desk.summary("philly", table, "--mapping", str(philly), code=0)

    assert (first["accepted"], first["left_out"]) == (2, {"step": 1})
    assert first["refused"] == {"gpus_unknown": 1}
    assert second["accepted_gpu_seconds"] == 10
    assert desk.held() == {device_hash(device(0)): HOUR_S, device_hash(device(1)): HOUR_S + 10}


LEASES = "lease_id,renter_ref,from,price_micros_per_gpu_hour,until,committed_gpus"


def test_import_leases__good_and_bad_rows__are_agreed_one_by_one(desk: Desk) -> None:
    rows = [
        "lease-1,renter-1,2026-01-01T00:00:00Z,2490000,2026-01-03T00:00:00Z,2",
        "lease-2,renter-2,2026-01-01T00:00:00Z,2.49,,",
        "lease-3,renter-3,2026-01-01T00:00:00Z,2490000,2025-12-01T00:00:00Z,",
        "lease-4,renter-4,2026-01-01T00:00:00Z,2490000,,500",
        # It is there, opened by the console.
        "lease-a,renter-of-lease-a,2026-01-01T00:00:00Z,1000000,,",
    ]
    file = desk.file("leases.csv", "\n".join([LEASES, *rows]))
    use = desk.file("use.csv", use_table(use_row("j", 0, 0, HOUR_S, "lease-1")))
    mapping = desk.file("map.toml", CSV_MAP)

    dry = desk.summary("leases", file, "--dry-run", code=1)
    first = desk.summary("leases", file, code=1)
    again = desk.summary("leases", file, code=1)
    file.write_text(
        file.read_text().replace("lease-1,renter-1,2026-01-01", "lease-1,renter-1,2026-01-02")
    )
    changed = desk.run("leases", file)

    assert dry == {**first, "dry_run": True}
    assert first["accepted"] == again["duplicates"] == 1
    assert first["refused"] == {"not_a_number": 1, "terms_invalid": 2, "over_capacity": 1}
    assert "agree a new version of the lease's terms" in changed.stderr
    assert desk.summary("csv", use, "--mapping", str(mapping), code=0)["accepted"] == 1


def _offer(desk: Desk) -> Path:
    offer = {
        "name": "hall-2",
        "gpu_class": "H100-SXM5-80GB",
        "site": "SE-LULEA-1",
        "window_start": format_instant(START_S + 10 * DAY_S),
        "window_end": format_instant(START_S + 12 * DAY_S),
        "epoch_length_s": DAY_S,
        "tranches": [{"unit_cap": 10}],
    }
    return desk.file("offer.json", json.dumps(offer))


def test_import_devices__all_or_none__and_once(desk: Desk) -> None:
    offer = ("--offer", str(_offer(desk)))
    bad = desk.file("bad.csv", f"device\n{device(20)}\ngpu-1\n{device(20)}\n")
    good = desk.file("good.csv", f"device\n{device(20)}\n{device(21)}\n")
    refused = desk.run("devices", bad, *offer)
    dry = desk.summary("devices", good, *offer, "--dry-run", code=0)
    first = desk.summary("devices", good, *offer, code=0)
    again = desk.summary("devices", good, *offer, code=0)
    part = desk.file("part.csv", f"device\n{device(21)}\n")
    taken = desk.run("devices", part, *offer)

    assert refused.exit_code == taken.exit_code == 1
    assert json.loads(refused.stdout) == {"refused": 2}
    assert "bad.csv:3: device_refused" in refused.stderr
    assert "bad.csv:4: device_refused" in refused.stderr
    assert dry == {"devices": 2, "facility_id": None, "created": False, "refused": 0}
    assert first["created"]
    assert again == {**first, "created": False}
    assert f"is pledged to facility {first['facility_id']}" in taken.stderr


def test_import__text_that_steers_terminals__is_shown_without(desk: Desk) -> None:
    """ATTACKS 39."""
    mapping = str(desk.file("map.toml", CSV_MAP))
    file = desk.file("use.csv", use_table(use_row("\x1b]0;owned\x07\x1b[2J", 9, 0, HOUR_S)))

    result = desk.run("csv", file, "--mapping", mapping)

    assert "use.csv:2: device_unknown: device is not pledged" in result.stderr
    assert "  device_unknown: Use the device's one name" in result.stderr
    assert "\x1b" not in result.stderr
    assert "?]0;owned" in result.stderr
