"""What `make prove` reads: Solidity comments, the words of halmos, the JSON of forge."""

import json

import pytest

from scripts.dev import prove

_PASSED = "\x1b[32m[PASS]\x1b[0m check_a(uint64[5],uint128) (paths: 42, time: 2.75s, bounds: [])"


def test_properties__comment_of_two_lines__is_one_sentence():
    source = (
        "    /// For every word:\n    /// it holds.\n    function check_a(uint256 a) public {}\n"
        "    function helper() public {}\n    function testFuzz_b(uint256 a) public {}\n"
    )

    assert prove.properties(source) == {"check_a": "For every word: it holds.", "testFuzz_b": ""}


def test_properties__of_this_project__all_say_what_they_are_and_none_has_a_namesake():
    said = [prove.properties(path.read_text()) for path in sorted(prove.PROOFS.glob("*.t.sol"))]
    names = [name for properties in said for name in properties]

    assert all(sentence for properties in said for sentence in properties.values())
    assert names
    assert len(set(names)) == len(names)


def test_proofs__passed__is_proved():
    assert prove.proofs(_PASSED) == {"check_a": prove.Outcome(True, "proved", 2.75)}


@pytest.mark.parametrize(
    ("line", "how"),
    [
        (_PASSED.replace("PASS", "FAIL"), "fail"),
        (_PASSED.replace("PASS", "TIMEOUT"), "timeout"),
        (_PASSED.replace("PASS", "ERROR"), "error"),
        (_PASSED.replace("bounds: []", "bounds: [f()]"), "incomplete"),
        (_PASSED.replace("paths: 42", "paths: 0"), "incomplete"),
    ],
)
def test_proofs__anything_else__is_not_proved(line, how):
    assert prove.proofs(line) == {"check_a": prove.Outcome(False, how, 2.75)}


def test_proofs__set_up_that_failed__names_no_property():
    assert prove.proofs("ERROR    setUp() failed: HalmosException: No successful path") == {}


def _report(**result):
    kind = {"Fuzz": {"runs": 7}}
    whole = {"status": "Success", "kind": kind, "duration": "1m 2s 30ms", **result}
    return json.dumps({"A.t.sol:A": {"test_results": {"testFuzz_a(uint256)": whole}}})


def test_draws__success__counts_runs_and_seconds():
    (outcome,) = prove.draws(_report()).values()

    assert (outcome.holds, outcome.how) == (True, "7 runs")
    assert outcome.time_s == pytest.approx(62.03)


def test_draws__failure__shows_reason_and_inputs():
    example = {"Single": {"raw_args": "3, 4"}}
    report = _report(status="Failure", reason="conserved", counterexample=example)

    outcome = prove.draws(report)["testFuzz_a"]

    assert (outcome.holds, outcome.how) == (False, "conserved with 3, 4 after 7 runs")


def test_draws__test_without_draws__does_not_hold():
    outcome = prove.draws(_report(kind={"Unit": {"gas": 1}}))["testFuzz_a"]

    assert not outcome.holds


def test_table__of_a_failure__says_so():
    rows = prove.table({"check_a": "It holds."}, {"check_a": prove.Outcome(False, "timeout", 1.0)})

    assert list(rows.columns[0].cells) == ["check_a\nIt holds."]
    assert list(rows.columns[1].cells) == ["FAILS: timeout"]
