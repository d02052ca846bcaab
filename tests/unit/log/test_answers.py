"""Answers of a log beside those that are said over HTTP, of this version and of newer ones."""

import pytest

from api.domain.log.answers import (
    ACCEPTED,
    DUPLICATE,
    KNOWN,
    REASONS,
    REJECTED,
    answer_byte,
    answer_says,
)

SAID = {
    ("accepted", "", False): ACCEPTED,
    ("accepted", "", True): KNOWN,
    ("duplicate", "", False): DUPLICATE,
    **{("rejected", code, False): byte for code, byte in REJECTED.items()},
}


@pytest.mark.parametrize("said", SAID)
def test_answer__that_is_known__is_its_own_byte_and_no_other(said: tuple[str, str, bool]) -> None:
    status, code, known = said

    says = [byte for byte in range(256) if answer_says(byte, status, code, known=known)]

    assert says == [SAID[said]] == [answer_byte(status, code, known=known)]


@pytest.mark.parametrize(("status", "code"), [("rejected", "no_such_code"), ("held", "")])
def test_answer__of_a_newer_service__is_any_byte_that_is_unknown_too(
    status: str, code: str
) -> None:
    says = [byte for byte in range(256) if answer_says(byte, status, code, known=False)]

    assert set(says) == {*range(256)} - {ACCEPTED, DUPLICATE, KNOWN} - {*REASONS}
