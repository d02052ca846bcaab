"""Reading CSV by a mapping: separators, quotes, encodings, numbers, and what is refused."""

import gzip
from pathlib import Path

import pytest

from api.errors import InvalidInput
from api.ledger.importers.rows import Row, Usage
from api.ledger.importers.table_csv import CsvReader
from tests.factories import START_S, device
from tests.unit.ledger.reading import DEVICES, left_out, refusals, rows_of, uses, written

MAPPING = """
[columns]
job = "Job"
device = "GPU"
start = "From"
end = "To"
[lease]
column = "Customer"
[lease.by]
"ACME; Inc" = "lease-a"
"=1+1" = "lease-b"
own = "-"
"""
HEADER = "Job,GPU,Customer,From,To"
GPU = device(0)
ROW = f'j1,{GPU},"ACME; Inc",2026-01-01T00:00:00Z,2026-01-01T01:00:00Z'
USE = Usage(2, "j1", GPU, "lease-a", START_S, START_S + 3_600)


def _read(folder: Path, text: str | bytes, mapping: str = MAPPING, **form: str) -> list[Row]:
    reader = CsvReader(written(folder, "map.toml", mapping))
    return rows_of(reader, written(folder, "use.csv", text), **form)


@pytest.mark.parametrize(
    "text",
    [
        f"{HEADER}\n{ROW}\n",
        f"{HEADER}\r\n{ROW}\r\n",
        f"\ufeff{HEADER}\n{ROW}",
        f"{HEADER},Note\n{ROW},\n\n,,,,,\n",
        gzip.compress(f"{HEADER}\n{ROW}\n".encode()),
        f"{HEADER}\n{ROW}\n".replace(",", ";").replace("ACME; Inc", "ACME; Inc"),
        f"{HEADER}\n{ROW}\n".replace(",", "\t"),
        f" Job , GPU,Customer,From ,To\n{ROW}\n".replace("j1", " j1 "),
    ],
)
def test_csv__however_it_is_written__says_the_same(tmp_path: Path, text: str | bytes) -> None:
    assert _read(tmp_path, text) == [USE]


def test_csv__line_ends_in_quotes__keep_the_lines_of_the_rows_after(tmp_path: Path) -> None:
    text = f'{HEADER},Note\n{ROW},"two\r\nlines, and ""more"""\n{ROW.replace("ACME", "B")},\n'

    rows = _read(tmp_path, text)

    assert uses(rows) == [USE]
    assert refusals(rows) == [(4, "lease_unknown_here")]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (ROW + ",more", "row_malformed"),
        ("j1", "row_malformed"),
        (ROW.replace(GPU, ""), "field_missing"),
        (ROW.replace("2026-01-01T00:00:00Z", ""), "field_missing"),
        (ROW.replace("2026-01-01T01:00:00Z", ""), "still_running"),
        (ROW.replace("00:00Z", "00:00"), "time_without_zone"),
        (ROW.replace("01:00:00Z", "01:00:00.25Z"), "fraction_of_second"),
        (ROW.replace("2026-01-01T01:00:00Z", "soon"), "time_unreadable"),
        (ROW.replace("ACME; Inc", "Somebody"), "lease_unknown_here"),
        (ROW.replace("ACME; Inc", ""), "lease_unknown_here"),
    ],
)
def test_csv__row_that_is_not_clear__is_refused_with_line_and_reason(
    tmp_path: Path, row: str, reason: str
) -> None:
    rows = _read(tmp_path, f"{HEADER}\n{ROW}\n{row}\n")

    assert uses(rows) == [USE]
    assert refusals(rows) == [(3, reason)]


def test_csv__what_only_the_ledger_can_judge__is_left_to_it(tmp_path: Path) -> None:
    """Zero, negative and overlapping intervals, names of devices: one judge, and it is not here."""
    text = f"{HEADER}\n{ROW}\n{ROW}\n" + ROW.replace("T01", "T00") + "\n"
    text += ROW.replace("T00", "T02") + "\n" + ROW.replace(GPU, "gpu-0") + "\n"

    assert len(uses(_read(tmp_path, text))) == 5


def test_csv__formulas__are_text(tmp_path: Path) -> None:
    text = f"{HEADER}\n" + ROW.replace("ACME; Inc", "=1+1").replace("j1", "=cmd|' /C calc'!A0")

    assert [(u.job, u.lease) for u in uses(_read(tmp_path, text))] == [
        ("=cmd|' /C calc'!A0", "lease-b")
    ]


def test_csv__node_gpu_duration_and_constants__make_uses(tmp_path: Path) -> None:
    mapping = """
[columns]
gpu = "slot"
start = "t"
duration = "length"
[constants]
node = "n2"
[time]
format = "%d.%m.%Y %H:%M:%S"
timezone = "Europe/Oslo"
[file]
separator = ";"
[lease]
id = "lease-a"
"""
    lines = [
        "slot;t;length",
        "0;01.01.2026 01:00:00;3600",
        "0;01.01.2026 02:00:00;1:00:00",
        "1;01.01.2026 01:00:00;60",
        "0;01.01.2026 03:00:00;3.600",
        "0;01.01.2026 03:00:00;3,600",
        "0;25.10.2026 02:30:00;60",
        # The start is clear; where the clock was put back, a length still is.
        "0;25.10.2026 01:30:00;7200",
        "9;01.01.2026 01:00:00;60",
    ]

    rows = _read(tmp_path, "\n".join(lines), mapping + DEVICES)

    use = [(u.device, u.end_s - u.start_s) for u in uses(rows)]
    assert use == [(device(2), 3_600), (device(2), 3_600), (device(2), 7_200)]
    assert uses(rows)[0].start_s == START_S
    assert left_out(rows) == {"other_facility": 1}
    assert refusals(rows) == [
        (5, "not_a_number"), (6, "not_a_number"), (7, "time_ambiguous"), (9, "gpu_unknown"),
    ]  # fmt: skip


def test_csv__card_that_was_swapped__is_the_one_of_that_time(tmp_path: Path) -> None:
    """A card can also move to another place; what nobody says of the hours between is refused."""
    moved, new = device(5), device(6)
    noon, three = "2026-01-01T12:00:00Z", "2026-01-01T15:00:00Z"
    mapping = f"""
[columns]
node = "node"
gpu = "gpu"
start = "from"
end = "to"
[lease]
id = "lease-a"
[devices.n1]
0 = [
  {{ device = "{moved}", until = "{noon}" }},
  {{ device = "{new}", from = "{three}" }},
]
1 = [{{ device = "-", until = "{noon}" }}, {{ device = "{moved}", from = "{noon}" }}]
"""
    day = "2026-01-01T"
    spans = [
        ("0", "10", "12"), ("0", "15", "16"), ("1", "12", "13"), ("1", "10", "11"),
        ("0", "11", "13"), ("0", "13", "14"), ("0", "14", "16"), ("1", "11", "13"),
        # The judge refuses these; the device is the one that was there.
        ("0", "10", "10"), ("0", "15", "10"),
    ]  # fmt: skip
    lines = [f"n1,{gpu},{day}{a}:00:00Z,{day}{b}:00:00Z" for gpu, a, b in spans]

    rows = _read(tmp_path, "\n".join(["node,gpu,from,to", *lines]), mapping)

    assert [u.device for u in uses(rows)] == [moved, new, moved, moved, new]
    assert left_out(rows) == {"other_facility": 1}
    assert refusals(rows) == [(line, "gpu_swapped") for line in (6, 7, 8, 9)]


def test_csv__encodings__are_named_or_refused(tmp_path: Path) -> None:
    text = f"{HEADER}\n{ROW}\n".replace("ACME; Inc", "Ærlig")
    mapping = MAPPING.replace("ACME; Inc", "Ærlig")

    assert len(uses(_read(tmp_path, text.encode("cp1252"), mapping, encoding="cp1252"))) == 1
    assert len(uses(_read(tmp_path, text.encode("utf-16"), mapping, encoding="utf-16"))) == 1
    for encoding, message in (("cp1252", "not utf-8 text"), ("utf-16", "is UTF-16")):
        with pytest.raises(InvalidInput, match=message):
            _read(tmp_path, text.encode(encoding), mapping)
    with pytest.raises(InvalidInput, match="no encoding 'latin-99'"):
        _read(tmp_path, text, mapping, encoding="latin-99")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "use.csv has no header"),
        ("\n", "use.csv has no header"),
        (
            HEADER.replace("GPU", "Card"),
            "has no column 'GPU'; it has Job, Card, Customer, From, To",
        ),
        (HEADER + ",GPU\n", "has column 'GPU' twice"),
        (f'{HEADER}\n{ROW}\nj2,"never closed\n', "line 3: .*; nothing after it is read"),
        (f'{HEADER}\nj2,"{"x" * 200_000}', "line 2: .*; nothing after it is read"),
        (gzip.compress(f"{HEADER}\n{ROW}\n".encode())[:-9], "is not readable"),
    ],
)
def test_csv__file_that_cannot_be_read_on__names_line_or_column(
    tmp_path: Path, text: str | bytes, message: str
) -> None:
    with pytest.raises(InvalidInput, match=message):
        _read(tmp_path, text)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("[columns]", "[colums]"), "colums: is not known here"),
        (('job = "Job"', 'jobb = "Job"'), "columns.jobb: is not known; known are"),
        (('device = "GPU"', ""), "columns: say device, or node and gpu"),
        (('end = "To"', ""), "either end or duration"),
        (('end = "To"', 'end = "To"\nduration = "L"'), "either end or duration"),
        (('job = "Job"', "job = 7"), "columns.job: must be text in quotes"),
        (('column = "Customer"', ""), "lease: say id for one lease, or column"),
        (('column = "Customer"', 'column = "C"\nid = "x"'), "lease: say id for one lease"),
        (('own = "-"', "own = 1"), "lease.by.own: must be text"),
        (("[lease]", '[time]\nzone = "UTC"\n[lease]'), "time.zone: is not known"),
        (("[lease]", '[time]\ntimezone = "Mars/Base"\n[lease]'), "is no time zone"),
        (("[lease]", '[time]\nfractions = "up"\n[lease]'), "time.fractions"),
        (("[lease]", '[time]\nformat = "%d %H:%M %Z"\n[lease]'), "%Z names a zone"),
        (("[lease]", '[time]\nformat = "%d %I:%M"\n[lease]'), "%I goes with %p"),
        (("[lease]", '[file]\nseparator = "x"\n[lease]'), "file.separator"),
        (("[lease]", "[lease"), "map.toml is no TOML"),
        (("[columns]", '[devices.n1]\n0 = "12aa"\n[columns]'), "devices.n1.0: '12aa' is not"),
        (
            ("[columns]", f'[devices.n1]\n0 = "{GPU}"\n1 = "{GPU}"\n[columns]'),
            "devices.n1.1: .* is also devices.n1.0",
        ),
        (("[columns]", "[devices.n1]\n0 = []\n[columns]"), "devices.n1.0: one device at a time"),
        (("[columns]", "[devices.n1]\n0 = [7]\n[columns]"), "devices.n1.0: must be a device, or a"),
        (("[columns]", f'[devices.n1]\n0 = [{{device = "{GPU}", to = ""}}]\n[columns]'), "a list"),
        (
            ("[columns]", f'[devices.n1]\n0 = [{{device = "{GPU}", until = "2026"}}]\n[columns]'),
            "devices.n1.0: until is not an RFC 3339 time",
        ),
        (
            ("[columns]", f'[devices.n1]\n0 = [{{device = "{GPU}"}}, {{device = "-"}}]\n[columns]'),
            "devices.n1.0: one device at a time",
        ),
        (("[columns]", "[devices]\ncomplete = 1\n[columns]"), "devices.complete: must be true or"),
        (("[columns]", "[devices]\nn1 = 1\n[columns]"), "devices.n1: must be a table"),
    ],
)  # fmt: skip
def test_mapping__that_is_wrong__names_the_key(
    tmp_path: Path, change: tuple[str, str], message: str
) -> None:
    assert change[0] in MAPPING

    with pytest.raises(InvalidInput, match=message):
        CsvReader(written(tmp_path, "map.toml", MAPPING.replace(*change, 1)))
