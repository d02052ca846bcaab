"""A service that rewrites what it recorded: its log, its facts, its evidence, with all hashes."""

import json
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, delete, select, update

from api.db.bulk import insert_many
from api.db.facts import new_fact
from api.db.log import keep_entries, logged_after
from api.db.session import transaction
from api.db.tables.facilities import facilities
from api.db.tables.leases import leases
from api.db.tables.ledger import facts, log_entries
from api.db.tables.statements import statements
from api.domain.log.entry import NO_LOG, end_of
from api.domain.log.logged import events_of, logged_entry
from api.domain.metering.events import parse_event
from api.domain.metering.facts import Place
from api.domain.metering.judge import Recorded
from api.domain.metering.names import SecretNames
from api.domain.roster import Roster
from api.domain.statements.evidence import FACILITY_FILE, epoch_folder
from api.domain.statements.evidence_reader import terms_from_bytes
from api.domain.statements.recompute import RawInput, Recomputation
from api.domain.units import Epoch
from tests.logs import told_leases
from tests.world import World

Change = Callable[[dict[str, Any]], None]


def rewrite_log(world: World, change: Change) -> None:
    """Change events of the log as if they had been so from the start; facts and hashes follow."""
    with transaction(world.engine) as connection:
        row = connection.execute(select(facilities)).one()
        terms = terms_from_bytes(row.terms_json)
        logged = logged_after(connection, terms.log, after=0, most=1_000)
        names = SecretNames(terms.facility_id, row.name_secret)
        recorded, end, entries, rows = Recorded(Roster(terms), names), NO_LOG, [], []
        for each in logged:
            events = [
                json.loads(json.dumps(event)) for event in events_of(each.body, each.entry.author)
            ]
            recorded.recorded_at_s = each.entry.recorded_at_s
            for index, event in enumerate(events):
                change(event)
                _rename(connection, event["data"])
                place = Place(end.size + 1, index)
                told = recorded.accept(parse_event(event), place)
                rows += [
                    new_fact(
                        fact,
                        place=place,
                        part=part,
                        facility_id=terms.facility_id,
                        at_s=recorded.recorded_at_s,
                    )
                    for part, fact in enumerate(told)
                ]
            entries.append(
                logged_entry(
                    terms.log,
                    end,
                    each.entry.kind,
                    json.dumps(events).encode(),
                    answers=each.answers,
                    recorded_at_s=each.entry.recorded_at_s,
                    blind=each.blind,
                )
            )
            end = end_of([entries[-1].entry], end)
        connection.execute(delete(facts))
        connection.execute(delete(log_entries))
        keep_entries(connection, entries)
        insert_many(connection, rows)
        connection.execute(update(facilities).values(log_head=end.head))


def _rename(connection: Connection, data: dict[str, Any]) -> None:
    """What attesters are told of a lease follows too."""
    if "renter_ref" in data:
        named = update(leases).where(leases.c.lease_id == data["lease_id"])
        connection.execute(named.values(renter_ref=data["renter_ref"]))


def rewrite_evidence(world: World, epoch: int) -> None:
    """Make the evidence and the statement of the first epochs anew from the rewritten log."""
    with transaction(world.engine) as connection:
        row = connection.execute(select(facilities)).one()
        terms = terms_from_bytes(row.terms_json)
        raw = RawInput(terms.grace_s)
        raw.entries = logged_after(connection, terms.log, after=0, most=1_000)
        raw.leases = told_leases(SecretNames(terms.facility_id, row.name_secret), raw.entries)
        rebuilt = Recomputation(terms, raw)
        rebuilt.read(raw.entries)
        for number in map(Epoch, range(epoch + 1)):
            closed = rebuilt.close(terms.period(number))
            home = epoch_folder(terms.facility_id, number)
            for name, data in closed.files.items():
                if name != FACILITY_FILE:
                    world.evidence.replace(f"{home}/{name}", data)
            followed = closed.followed
            connection.execute(
                update(statements)
                .where(statements.c.epoch == number)
                .values(
                    statement_hash=followed.statement_hash,
                    evidence_hash=followed.manifest_hash,
                    log_head=followed.log.head,
                )
            )
