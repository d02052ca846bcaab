"""What a file says, row by row: use of a device, a row that is refused, or one that says no use.

Every reader yields these and nothing else, so that all formats share one pipeline.
"""

from collections.abc import Mapping
from dataclasses import dataclass

# Why a reader refuses a row, beside the rejections of the ledger's judge: nothing is guessed.
REFUSALS: Mapping[str, str] = {
    "row_malformed": "The row has more or fewer fields than the header, or is no object.",
    "field_missing": "A field that the row needs is empty.",
    "not_a_number": "A number has separators, a sign, a fraction or letters.",
    "time_unreadable": "A time is not of the format that was named.",
    "time_without_zone": "A time has no offset, and no time zone was named.",
    "time_ambiguous": "The clock went back: the local time happened twice.",
    "time_skipped": "The clock went forward: the local time never happened.",
    "fraction_of_second": "A time is no whole second, and nobody said how to round it.",
    "still_running": "The row has no end yet: import it again when it is over.",
    "start_missing": "The row has an end and no start.",
    "suspended": "The job was suspended for a while, and the row does not say when.",
    "elapsed_mismatch": "The row's length is not the time from its start to its end.",
    "node_unknown": "The mapping does not name the node.",
    "gpu_unknown": "The mapping does not name this GPU of the node.",
    "gpu_swapped": "The mapping has no one device in this place for all of the row's time.",
    "gpu_repeated": "The row names one GPU twice.",
    "gpus_unknown": "Nothing says which of the node's GPUs the job held.",
    "gpu_count_mismatch": "The row names another number of GPUs than it counts.",
    "gpu_shared": "The job held a part of a GPU, which is no device.",
    "lease_unknown_here": "The mapping has no lease for the row.",
    "device_refused": "The name is not that of a device, or does not fit the others.",
}
# What to do about each, at the file, its mapping or the command.
TO_DO: Mapping[str, str] = {
    "row_malformed": "Look for a separator in an unquoted field, and put the row right.",
    "field_missing": "Fill the field in.",
    "not_a_number": "Write digits alone: 3600, not 3,600; micros, not 2.49.",
    "time_unreadable": "Name the format under [time], or put the time right.",
    "time_without_zone": "Name the zone: --timezone, or timezone under [time].",
    "time_ambiguous": "Write the time with its offset.",
    "time_skipped": "Put the time right, or name another zone.",
    "fraction_of_second": 'Round the file, or say fractions = "inward" under [time].',
    "still_running": "Import the row again when it has an end.",
    "start_missing": "Fill in the start, or take the row out.",
    "suspended": "Bill what ran as rows of its own, by `rentroll import csv`.",
    "elapsed_mismatch": "Find out which of the columns is wrong.",
    "node_unknown": "Add the node under [devices].",
    "gpu_unknown": "Add the GPU under the node; write - if it is of no facility.",
    "gpu_swapped": "Say under [devices] from when until when each card was there; cut the row.",
    "gpu_repeated": "Put the numbers right.",
    "gpus_unknown": "Keep GPU numbers in a column, or say complete = true if the node is whole.",
    "gpu_count_mismatch": "Find out which is right: the numbers or the count.",
    "gpu_shared": "Bill slices by their own names, by `rentroll import csv`.",
    "lease_unknown_here": "Add the value under [lease.by]; write - if nobody rents it.",
    "device_refused": "Write the one name that the detail asks for; one row a device.",
}
# Rows that say no use of the facility, and why: they are counted.
LEFT_OUT: Mapping[str, str] = {
    "step": "A step of a job: the job's own row has the time of all of them.",
    "never_started": "The job never ran.",
    "no_gpu": "The job held no GPU.",
    "other_facility": 'The mapping says "-" of the GPU: it is not of this facility.',
    "not_rented": 'The mapping says "-" in place of a lease.',
}
NOTHING = "-"


@dataclass(frozen=True, slots=True)
class Usage:
    """A device was held for a lease over `[start_s, end_s)`, as line `line` says."""

    line: int
    job: str
    device: str
    lease: str
    start_s: int
    end_s: int


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that is not taken. reason: a key of `REFUSALS`."""

    line: int
    reason: str
    detail: str
    job: str = ""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A row, or a GPU of one, that says no use of the facility. reason: a key of `LEFT_OUT`."""

    line: int
    reason: str


Row = Usage | Refused | LeftOut
