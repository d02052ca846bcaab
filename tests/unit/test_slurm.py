"""What Slurm prints, read: lists of names and numbers, and GPUs of a job."""

import pytest

from api.domain.slurm import MOST_NAMES, expand_nodes, expand_numbers, gpus_of, is_present


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("n1", ["n1"]),
        ("gpu[01-03,07],login1", ["gpu01", "gpu02", "gpu03", "gpu07", "login1"]),
        ("r[1-2]n[1,3]", ["r1n1", "r1n3", "r2n1", "r2n3"]),
    ],
)
def test_nodes__of_a_list__are_named(text: str, names: list[str]) -> None:
    assert expand_nodes(text) == names


@pytest.mark.parametrize("text", ["n[1-", "n[2-1]", "n 1", "n[1-999999999]", "n[a]"])
def test_nodes__of_what_is_no_list__are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no list"):
        expand_nodes(text)


@pytest.mark.parametrize("text", [f"n[0-{MOST_NAMES - 1}],m", "n[0-999][0-999]"])
def test_nodes__too_many__are_refused_before_they_fill_the_memory(text: str) -> None:
    with pytest.raises(ValueError, match="more than 100000"):
        expand_nodes(text)


def test_numbers__too_many_in_parts__are_refused() -> None:
    assert expand_numbers("0-3,06") == ["0", "1", "2", "3", "06"]
    with pytest.raises(ValueError, match="more than 100000"):
        expand_numbers(f"0-{MOST_NAMES - 1},0")


@pytest.mark.parametrize(
    ("tres", "gpus"),
    [
        ("cpu=8,gres/gpu=4,gres/gpu:h100=4", 4),
        ("gres/gpu:h100=2,gres/gpu:a100=1", 3),
        ("cpu=8", 0),
        ("gres/gpu=1,gres/shard=2", None),
        ("gres/gpu=1,gres/mps:a=0", 1),
    ],
)
def test_gpus__of_a_job__are_counted_once_and_parts_by_nobody(tres: str, gpus: int | None) -> None:
    assert gpus_of(tres) == gpus


@pytest.mark.parametrize("text", ["", " ", "Unknown", "None assigned", "(null)", "N/A"])
def test_absent__as_slurm_says_it__is_absent(text: str) -> None:
    assert not is_present(text)
    assert is_present("n1")
