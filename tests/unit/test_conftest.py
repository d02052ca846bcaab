"""The block on sockets is in place, and each test has one kind."""

import socket

import pytest

from tests.conftest import KINDS, kind_of


@pytest.mark.parametrize("action", ["connect", "connect_ex", "bind"])
def test_socket__used__fails_the_test(action: str) -> None:
    with (
        socket.socket() as probe,
        pytest.raises(pytest.fail.Exception, match="belongs in tests/integration"),
    ):
        getattr(probe, action)(("127.0.0.1", 0))


def test_name__looked_up__fails_the_test() -> None:
    with pytest.raises(pytest.fail.Exception, match="belongs in tests/integration"):
        socket.create_connection(("localhost", 80))


def test_kind__marks_of_another_sort__is_the_folder() -> None:
    assert {kind_of(folder, ["slow", "postgres", folder]) for folder in KINDS} == KINDS


def test_kind__marked_as_another_or_in_a_new_folder__is_refused() -> None:
    with pytest.raises(pytest.UsageError, match=r"tests/unit is marked \['browser'\] too"):
        kind_of("unit", ["slow", "browser"])
    with pytest.raises(pytest.UsageError, match="tests/quick is no kind of test"):
        kind_of("quick", [])


def test_kind__of_this_test__is_unit(request: pytest.FixtureRequest) -> None:
    assert KINDS & {mark.name for mark in request.node.iter_markers()} == {"unit"}
