"""Logs for tests: entries made of events, each behind the one before."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from api.domain.facility import FacilityTerms
from api.domain.log.answers import ACCEPTED
from api.domain.log.entry import BLIND_BYTES, NO_LOG, Entry, EntryKind, LogEnd, end_of
from api.domain.log.logged import LoggedEntry, events_of, logged_entry
from api.domain.metering.facts import Place
from api.domain.metering.names import SecretNames, ToldLease
from api.domain.units import Bytes32
from api.errors import AppError

NAME_SECRET = Bytes32(b"name secret of a test's facility")


@dataclass(frozen=True, slots=True)
class SentEvent:
    """An event, where it stands in the log if it is taken, and when it is recorded."""

    place: Place
    recorded_at_s: int
    payload: object


def batch_entry(
    terms: FacilityTerms, end: LogEnd, at_s: int, events: Sequence[object]
) -> LoggedEntry:
    """The entry of a batch that nobody signed."""
    return logged_entry(
        terms.log,
        end,
        EntryKind.BATCH,
        json.dumps(list(events)).encode(),
        answers=bytes([ACCEPTED]) * len(events),
        recorded_at_s=at_s,
        blind=bytes(BLIND_BYTES),
    )


def log_of(
    terms: FacilityTerms, sent: Iterable[SentEvent], end: LogEnd = NO_LOG
) -> list[LoggedEntry]:
    """Entries of events that a log took behind its end, in its order."""
    batches: dict[int, list[SentEvent]] = {}
    for event in sent:
        batches.setdefault(event.place.entry, []).append(event)
    entries: list[LoggedEntry] = []
    for batch in batches.values():
        at_s = batch[0].recorded_at_s
        entries.append(batch_entry(terms, end, at_s, [event.payload for event in batch]))
        end = end_of([entries[-1].entry], end)
    return entries


def secret_names(terms: FacilityTerms) -> SecretNames:
    """All names of a facility, as its service has them."""
    return SecretNames(terms.facility_id, NAME_SECRET)


def told_leases(names: SecretNames, entries: Iterable[LoggedEntry]) -> list[ToldLease]:
    """What an attester is told of the leases that entries open."""
    told: dict[str, ToldLease] = {}
    for logged in entries:
        if logged.entry.kind is not EntryKind.BATCH:
            continue
        try:
            events = events_of(logged.body, logged.entry.author)
        except (AppError, ValueError):
            continue  # nothing is opened by what is no list of events
        for event, answer in zip(events, logged.answers, strict=False):
            data = event.get("data") if isinstance(event, dict) else None
            if answer == ACCEPTED and isinstance(data, dict) and "renter_ref" in data:
                told.setdefault(
                    data["lease_id"], names.told(data["lease_id"], renter_ref=data["renter_ref"])
                )
    return list(told.values())


def bare_entries(terms: FacilityTerms, end: LogEnd, *, up_to: int, at_s: int) -> list[Entry]:
    """Entries of no events behind the end of a log, up to a number."""
    entries: list[Entry] = []
    for _ in range(end.size, up_to):
        entries.append(batch_entry(terms, end, at_s, []).entry)
        end = end_of(entries[-1:], end)
    return entries
