"""Lines, statements and files that a dishonest quorum makes up."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from api.domain.metering.usage import LineKind
from api.domain.statements.obligation import COMPONENT_SUBJECTS
from tests.factories import DAY_S, HOUR_S, START_S
from tests.forged_facts import OTHER, Case, S, honest
from tests.forgers import Forged, Quorum, counted, lines_of

DAY = DAY_S


# --- lines ---------------------------------------------------------------------------------------


def _line(kind: LineKind, q: Quorum, charge: int = 0, **changes: Any) -> Any:
    """A line that no fact gives, of the first line's lease."""
    first = honest(q).lines[0]
    line = replace(first, kind=kind, charge_micros=charge, **changes)
    return counted(line)


def _added(name: str, code: str, make: Callable[[Quorum], Any]) -> Case:
    def forge(q: Quorum) -> Forged:
        base = honest(q)
        lines = sorted(
            [*lines_of(base), make(q)],
            key=lambda x: (x.kind, x.subject, x.start_s, x.lease, x.end_s),
        )
        return base.with_lines(lines)

    return Case(name, forge, code)


def _difference(q: Quorum, kind: LineKind, charge: int) -> Any:
    subject = COMPONENT_SUBJECTS.get(kind, OTHER)
    return _line(kind, q, charge, subject=subject, start_s=START_S, end_s=S + DAY)


def _swapped(q: Quorum) -> Forged:
    base = honest(q)
    lines = lines_of(base)
    lines[0], lines[1] = lines[1], lines[0]
    return base.with_lines(lines)


def _summed_wrong(q: Quorum) -> Forged:
    base = honest(q)
    lines = lines_of(base)
    lines[0] = replace(lines[0], cumulative_charge_micros=lines[0].charge_micros + 1)
    return base.with_lines(lines, sums=False)


def _lied_about(name: str, code: str, **changes: Any) -> Case:
    return Case(name, lambda q: honest(q).stating(**changes), code)


LINES = [
    Case(
        "a charge raised",
        lambda q: honest(q).changing(0, charge_micros=9_000_000),
        "line_wrong",
    ),
    Case("a line left out", lambda q: honest(q).with_lines(honest(q).lines[1:]), "line_left_out"),
    Case("no lines at all", lambda q: honest(q).with_lines(()), "line_left_out"),
    _added(
        "use of a device that was idle",
        "line_wrong",
        lambda q: _line(
            LineKind.USAGE,
            q,
            5_000_000,
            subject=q.terms.devices[3],
            start_s=S + 9 * HOUR_S,
            end_s=S + 12 * HOUR_S,
        ),
    ),
    _added(
        "use of a device that is not pledged",
        "fault_device_not_pledged",
        lambda q: _line(LineKind.USAGE, q, 5_000_000, subject=OTHER, start_s=S, end_s=S + HOUR_S),
    ),
    _added(
        "use of an earlier epoch as of this one",
        "fault_interval_outside",
        lambda q: _line(LineKind.USAGE, q, 5_000_000, start_s=S - 2 * HOUR_S, end_s=S - HOUR_S),
    ),
    _added(
        "late use of the epoch itself",
        "fault_interval_outside",
        lambda q: _line(LineKind.LATE, q, start_s=S + 9 * HOUR_S, end_s=S + 10 * HOUR_S),
    ),
    _added(
        "use of no second",
        "fault_interval_empty",
        lambda q: _line(LineKind.USAGE, q, start_s=S + 9 * HOUR_S, end_s=S + 9 * HOUR_S),
    ),
    _added(
        "use that overlaps use",
        "fault_lines_overlap",
        lambda q: _line(LineKind.USAGE, q, start_s=S + HOUR_S // 2, end_s=S + HOUR_S),
    ),
    _added(
        "a void of what was never billed",
        "line_wrong",
        lambda q: _line(
            LineKind.VOID, q, subject=q.terms.devices[3], start_s=START_S, end_s=START_S + HOUR_S
        ),
    ),
    _added(
        "late use that no fact tells",
        "line_wrong",
        lambda q: _line(
            LineKind.LATE, q, subject=q.terms.devices[3], start_s=START_S, end_s=START_S + HOUR_S
        ),
    ),
    _added(
        "a void with a charge",
        "fault_charge_wrong",
        lambda q: _line(
            LineKind.VOID, q, 7, subject=q.terms.devices[3], start_s=START_S, end_s=START_S + HOUR_S
        ),
    ),
    _added(
        "a delivery with a charge",
        "fault_charge_wrong",
        lambda q: _line(
            LineKind.DELIVERY, q, 7, subject=q.terms.devices[3], start_s=S, end_s=S + HOUR_S
        ),
    ),
    _added(
        "a difference for use",
        "line_wrong",
        lambda q: _difference(q, LineKind.USAGE_DIFFERENCE, 3_000_000),
    ),
    _added(
        "a shortfall that nobody committed",
        "line_wrong",
        lambda q: _difference(q, LineKind.SHORTFALL_DIFFERENCE, 3_000_000),
    ),
    _added(
        "a minimum that nobody agreed",
        "line_wrong",
        lambda q: _difference(q, LineKind.MINIMUM_DIFFERENCE, 3_000_000),
    ),
    _added(
        "a credit that nobody is due",
        "line_wrong",
        lambda q: _difference(q, LineKind.SLA_DIFFERENCE, -1_000_000),
    ),
    _added(
        "a discount that nobody has",
        "line_wrong",
        lambda q: _difference(q, LineKind.TIER_DIFFERENCE, -1_000_000),
    ),
    _added(
        "a fixed item of nobody",
        "line_wrong",
        lambda q: _difference(q, LineKind.FIXED_DIFFERENCE, 3_000_000),
    ),
    _added(
        "an adjustment of nobody",
        "line_wrong",
        lambda q: _difference(q, LineKind.ADJUSTMENT_DIFFERENCE, 3_000_000),
    ),
    _added(
        "a difference with another subject",
        "fault_subject_wrong",
        lambda q: replace(_difference(q, LineKind.USAGE_DIFFERENCE, 3_000_000), subject=OTHER),
    ),
    _added(
        "a difference behind the seal",
        "fault_interval_outside",
        lambda q: replace(_difference(q, LineKind.USAGE_DIFFERENCE, 3_000_000), end_s=S + 9 * DAY),
    ),
    Case("lines swapped", _swapped, "fault_lines_out_of_order"),
    Case("sums that break", _summed_wrong, "fault_sums_wrong"),
    Case(
        "GPU-seconds that are not the time",
        lambda q: honest(q).changing(0, gpu_seconds=1),
        "fault_gpu_seconds_wrong",
    ),
    Case("another lease", lambda q: honest(q).changing(0, lease=OTHER), "line_wrong"),
    Case(
        "time that is longer",
        lambda q: honest(q).with_lines(
            [counted(honest(q).lines[0], end_s=S + 5 * HOUR_S), *honest(q).lines[1:]]
        ),
        "line_wrong",
    ),
]

# --- statements and files ------------------------------------------------------------------------

STATEMENTS = [
    _lied_about("more revenue than lines", "fault_totals_wrong", gross_revenue_micros=99_000_000),
    _lied_about("more time than lines", "fault_totals_wrong", billed_gpu_seconds=4 * DAY_S),
    _lied_about("less available", "statement_not_recomputed", available_gpu_seconds=1),
    _lied_about("an adjustment", "statement_not_recomputed", available_adjustment=-3_600),
    _lied_about("a smaller largest renter", "statement_not_recomputed", top_renter_bps=1),
    _lied_about("more committed", "statement_not_recomputed", committed_bps=10_000),
    _lied_about("more lines", "line_count_wrong", line_count=400),
    _lied_about("another root", "root_wrong", usage_root=OTHER),
    _lied_about("other evidence", "manifest_wrong", evidence_hash=OTHER),
]


def _bytes(name: str, code: str, short: str, change: Callable[[bytes], bytes]) -> Case:
    def forge(q: Quorum) -> Forged:
        base = honest(q)
        data = next(d for n, d in base.files.items() if n.partition(".")[0] == short)
        changed = change(data)
        assert changed != data
        return base.with_files(**{short: changed})

    return Case(name, forge, code)


def _other_body(data: bytes) -> bytes:
    """The first entry says something else; those after it name its old hash."""
    return data.replace(b'"body":"0x0', b'"body":"0x1', 1).replace(b'"entry":', b'"entry":1', 1)


def _one_less(data: bytes) -> bytes:
    return b"".join(row + b"\n" for row in data.split(b"\n")[:-2])


FILES = [
    _bytes("CRLF", "file_unreadable", "lines", lambda d: d.replace(b"\n", b"\r\n")),
    _bytes("no final newline", "file_unreadable", "lines", lambda d: d[:-1]),
    _bytes("a byte order mark", "file_unreadable", "lines", lambda d: b"\xef\xbb\xbf" + d),
    _bytes(
        "digits of another script",
        "file_unreadable",
        "lines",
        lambda d: d.replace(b"\n0,", "\n٠,".encode(), 1),
    ),
    _bytes(
        "a number with a plus", "file_unreadable", "lines", lambda d: d.replace(b",0,", b",+0,", 1)
    ),
    _bytes(
        "upper-case hex",
        "not_canonical",
        "lines",
        lambda d: d.replace(
            d.split(b"\n")[1].split(b",")[2],
            d.split(b"\n")[1].split(b",")[2].upper().replace(b"0X", b"0x"),
        ),
    ),
    _bytes(
        "repeated keys",
        "not_recomputed",
        "facts",
        lambda d: d.replace(b'{"device"', b'{"device":"0x00","device"', 1),
    ),
    _bytes("spaces in facts", "not_recomputed", "facts", lambda d: d.replace(b'":', b'": ', 1)),
    _bytes("an empty line", "file_unreadable", "facts", lambda d: d + b"\n"),
    _bytes(
        "facts that nest deep",
        "file_unreadable",
        "facts",
        lambda d: d + b"[" * 99 + b"]" * 99 + b"\n",
    ),
    _bytes(
        "a fact of no kind",
        "file_unreadable",
        "facts",
        lambda d: d.replace(b'"usage"', b'"gift"', 1),
    ),
    _bytes("a credit", "not_recomputed", "credits", lambda d: d + b"0x" + b"11" * 32 + b",5\n"),
    _bytes(
        "a smaller log",
        "log_head",
        "manifest",
        lambda d: d.replace(b'"log_size": ', b'"log_size": -', 1),
    ),
    _bytes(
        "another manifest before",
        "manifest_unchained",
        "manifest",
        lambda d: d.replace(d.split(b'"previous": "0x')[1][:8], b"00000000", 1),
    ),
    _bytes("an entry of another body", "file_unreadable", "batches", _other_body),
    _bytes("the last entry left out", "log_head", "batches", _one_less),
    _bytes(
        "an entry twice", "file_unreadable", "batches", lambda d: d + d.split(b"\n")[-2] + b"\n"
    ),
    _bytes(
        "another format",
        "file_unreadable",
        "manifest",
        lambda d: d.replace(b"evidence-5", b"evidence-9"),
    ),
    _bytes(
        "sizes that are wrong",
        "manifest_wrong",
        "manifest",
        lambda d: d.replace(b'"bytes": ', b'"bytes": 1', 1),
    ),
    _bytes(
        "a manifest on one line",
        "manifest_wrong",
        "manifest",
        lambda d: d.replace(b"\n", b"") + b"\n",
    ),
]
