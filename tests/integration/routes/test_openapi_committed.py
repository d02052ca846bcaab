"""docs/openapi.json is what the application answers: the public API changes only in sight."""

from scripts.dev import openapi


def test_openapi__committed_document__is_what_the_app_answers() -> None:
    found = openapi.check()

    assert not found, f"\n{found}\nIf you mean it: {openapi.WRITE}"


def test_openapi__field_that_went__is_named_by_the_diff() -> None:
    committed = openapi.DOCUMENT.read_text()
    field = '     "epochs_posted",\n'
    assert field in committed

    found = openapi.difference(committed, committed.replace(field, "")).splitlines()

    assert found[0] == "--- docs/openapi.json"
    gone = [line for line in found[2:] if line.startswith(("+", "-"))]
    assert gone == ["-" + field.rstrip("\n")] * committed.count(field)


def test_openapi__much_changed__says_how_much_it_leaves_out() -> None:
    found = openapi.difference("", "line\n" * 1_000).splitlines()

    assert len(found) == 81
    assert found[-1] == "… and 923 more lines"
