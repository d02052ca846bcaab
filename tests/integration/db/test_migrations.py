"""A database of the first release becomes what the tables say, and keeps its rows."""

import json

import pytest
from sqlalchemy import Engine, insert, select, text, update

from api.access.accounts import add_attester_key
from api.access.keys import KeyUses, caller_of_key
from api.access.scopes import SCOPES, Role
from api.db.migrate import upgrade
from api.db.session import transaction
from api.db.tables.access import api_key_changes, api_keys, session_nonces, sessions
from api.db.tables.chain import chain_events
from api.db.tables.console import event_rejections, event_repeats
from api.db.tables.facilities import devices, facilities, hardware_disclosures, operators
from api.db.tables.history import epoch_reopenings, superseded_statements
from api.db.tables.ledger import facts, log_entries
from api.db.tables.replacements import replacements
from api.db.tables.statements import attestations, statement_lines, statement_trees, statements
from api.domain.hashing import sha256
from api.epochs.close import close_due
from api.errors import InvalidInput, Unauthorized
from api.reads.proofs import prove_line
from tests.factories import DAY_S, HOUR_S, Ledger, device
from tests.schema import differences

pytestmark = pytest.mark.both_databases

_ADDED = (
    statement_trees,
    hardware_disclosures,
    session_nonces,
    sessions,
    event_rejections,
    event_repeats,
    superseded_statements,
    epoch_reopenings,
)


def test_upgrade__from_the_first_release__adds_tables_and_keeps_rows(engine: Engine) -> None:
    row = {"name": "op", "address": "0x" + "a" * 40, "created_at_s": 1}
    with transaction(engine) as connection:
        for table in _ADDED:
            table.drop(connection)
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
        connection.execute(insert(operators).values(**row))

    upgrade(engine)

    with engine.connect() as connection:
        assert differences(connection) == []
        assert connection.execute(select(operators.c.name)).scalars().all() == ["op"]


def test_upgrade__with_closed_epochs__stores_their_trees(ledger: Ledger) -> None:
    ledger.ingest(*(ledger.usage(gpu, 0, HOUR_S) for gpu in range(3)))
    ledger.clock.now_s += DAY_S
    close_due(ledger.engine, ledger.evidence, ledger.clock.now_s)
    with transaction(ledger.engine) as connection:
        statement_trees.drop(connection)
        connection.execute(text("UPDATE alembic_version SET version_num = '0006'"))

    upgrade(ledger.engine)

    found = [
        prove_line(ledger.engine, ledger.facility_id, epoch=0, index=index) for index in range(3)
    ]
    assert [x.line.index for x in found] == [0, 1, 2]


def test_upgrade__with_indexed_postings__fills_in_their_hashes(engine: Engine) -> None:
    names = ("block_number", "log_index", "part", "block_time_s")
    row = dict.fromkeys(names, 7) | {"tx_hash": bytes(32), "contract": "StatementRegistry"}
    payloads = {"StatementPosted": {"statementHash": "0x" + "ab" * 32}, "ThresholdSet": {}}
    with transaction(engine) as connection:
        connection.execute(text("ALTER TABLE chain_events DROP COLUMN statement_hash"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0007'"))
        for part, (event, payload) in enumerate(payloads.items()):
            values = row | {"part": part, "event": event, "payload": json.dumps(payload)}
            connection.execute(insert(chain_events).values(**values))

    # The index is read anew from migration 31 on.
    upgrade(engine, "0030")

    with engine.connect() as connection:
        found = connection.execute(select(chain_events.c.event, chain_events.c.statement_hash))
        assert dict(found.all()) == {"StatementPosted": b"\xab" * 32, "ThresholdSet": None}


def test_upgrade__with_the_unused_flag__drops_it_and_keeps_rows(engine: Engine) -> None:
    row = dict.fromkeys(("block_number", "log_index", "part", "block_time_s"), 7)
    row |= {"tx_hash": bytes(32), "contract": "StatementRegistry", "event": "X", "payload": "{}"}
    with transaction(engine) as connection:
        connection.execute(insert(chain_events).values(**row))
        connection.execute(text("ALTER TABLE chain_events ADD COLUMN flag BOOLEAN"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0008'"))

    upgrade(engine, "0030")

    with engine.connect() as connection:
        assert differences(connection) == []
        assert connection.execute(select(chain_events.c.event)).scalars().all() == ["X"]
    upgrade(engine)
    with engine.connect() as connection:
        assert connection.execute(select(chain_events.c.event)).all() == []


def test_upgrade__with_replacements__of_which_none_was_taken_back(ledger: Ledger) -> None:
    asked = {"facility_id": ledger.facility_id, "from_epoch": 1, "pledge_root": bytes(32)}
    asked |= {"old_uuid": device(0), "uuid": device(9), "card_uuid": device(9), "reason": "RMA"}
    with transaction(ledger.engine) as connection:
        connection.execute(insert(replacements).values(document=b"", asked_at_s=1, **asked))
        connection.execute(text("ALTER TABLE replacements DROP COLUMN withdrawn_at_s"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0022'"))

    upgrade(ledger.engine)

    with ledger.engine.connect() as connection:
        assert differences(connection) == []
        found = connection.execute(select(replacements.c.uuid, replacements.c.withdrawn_at_s))
        assert [tuple(row) for row in found] == [(device(9), None)]


_OLD_KEYS = """
    CREATE TABLE api_keys (
        key_hash {bytes} PRIMARY KEY, role VARCHAR(16) NOT NULL,
        operator_id BIGINT REFERENCES operators (operator_id), label VARCHAR(80) NOT NULL,
        created_at_s BIGINT NOT NULL, revoked_at_s BIGINT
    )
"""


def test_upgrade__keys_without_a_name__get_one_and_go_on(engine: Engine) -> None:
    keys = [f"rr_{mark}_" + str(n) * 43 for n, mark in enumerate(("op", "at", "at", "op"))]
    row = {"name": "op", "address": "0x" + "a" * 40, "created_at_s": 1}
    with transaction(engine) as connection:
        api_key_changes.drop(connection)
        api_keys.drop(connection)
        kind = "BYTEA" if engine.dialect.name == "postgresql" else "BLOB"
        connection.execute(text(_OLD_KEYS.format(bytes=kind)))
        connection.execute(insert(operators).values(operator_id=7, **row))
        for n, (role, label, ended) in enumerate(
            (("operator", "op", None), ("attester", "a", None), ("attester", "a", None),
             ("operator", "op", 9))
        ):  # fmt: skip
            values = {"h": sha256(keys[n].encode()), "r": role, "l": label, "c": n, "e": ended}
            values["o"] = 7 if role == "operator" else None
            query = text("INSERT INTO api_keys VALUES (:h, :r, :o, :l, :c, :e)")
            connection.execute(query, values)
        connection.execute(text("UPDATE alembic_version SET version_num = '0015'"))

    upgrade(engine)

    with engine.connect() as connection:
        assert differences(connection) == []
        named = select(api_keys.c.name, api_keys.c.operator_id).order_by(api_keys.c.created_at_s)
        found = [tuple(row) for row in connection.execute(named)]
        actors = connection.execute(select(api_key_changes.c.actor)).scalars().all()
    assert found == [("first", 7), ("a", None), ("a 2", None), ("first 2", 7)]
    assert actors == ["unknown"] * 4
    uses = KeyUses(engine)
    callers = [caller_of_key(engine, uses, text=key, admin_key=None, now_s=99) for key in keys[:3]]
    uses.close()
    assert [c.operator_id for c in callers] == [7, None, None]
    assert [c.scopes for c in callers] == [SCOPES[r] for r in (Role.OPERATOR, *[Role.ATTESTER] * 2)]
    with pytest.raises(Unauthorized, match="revoked"):
        caller_of_key(engine, uses, text=keys[3], admin_key=None, now_s=99)


def test_upgrade__attesters_keys_of_before__name_no_account(engine: Engine) -> None:
    """Nobody knows whose they are: they are let in, and every route of attesters refuses them."""
    with transaction(engine) as connection:
        key = add_attester_key(connection, name="a", attester="0x" + "a" * 40, actor="t", now_s=1)
        connection.execute(text("ALTER TABLE api_keys DROP COLUMN attester"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0032'"))

    upgrade(engine)

    uses = KeyUses(engine)
    caller = caller_of_key(engine, uses, text=key, admin_key=None, now_s=99)
    uses.close()
    assert (caller.role, caller.attester) == (Role.ATTESTER, None)
    with engine.connect() as connection:
        assert differences(connection) == []


def test_upgrade__terms_of_contracts_of_before__are_refused_by_name(ledger: Ledger) -> None:
    """What their attesters earn stands nowhere, and their contracts are others."""
    upgrade(ledger.engine)
    with transaction(ledger.engine) as connection:
        terms = connection.execute(select(facilities.c.terms_json)).scalars().first()
        assert terms is not None
        old = terms.replace(b'  "attester_fee_bps": 4000,\n', b"")
        assert old != terms
        connection.execute(update(facilities).values(terms_json=old))
        connection.execute(text("UPDATE alembic_version SET version_num = '0014'"))

    with pytest.raises(InvalidInput, match="share of the fee for attesters"):
        upgrade(ledger.engine)


def _without_cards(ledger: Ledger) -> None:
    """The schema of before: devices without cards."""
    with transaction(ledger.engine) as connection:
        connection.execute(text("DROP INDEX ix_devices_card_uuid"))
        for name in ("card", "card_uuid"):
            connection.execute(text(f"ALTER TABLE devices DROP COLUMN {name}"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0015'"))


def test_upgrade__devices_without_cards__are_whole_cards(ledger: Ledger) -> None:
    _without_cards(ledger)

    upgrade(ledger.engine)

    with ledger.engine.connect() as connection:
        assert differences(connection) == []
        rows = connection.execute(select(devices)).all()
    assert len(rows) == 4
    assert all((r.card, r.card_uuid) == (r.device, r.uuid) for r in rows)


@pytest.mark.parametrize("prefix", ["MIG-", "GPU-GPU-"])
def test_upgrade__device_whose_card_nobody_knows__is_refused_by_name(
    ledger: Ledger, prefix: str
) -> None:
    name = prefix + device(0)[4:]
    _without_cards(ledger)
    with transaction(ledger.engine) as connection:
        named = text("UPDATE devices SET uuid = :name WHERE uuid = :old")
        connection.execute(named, {"name": name, "old": device(0)})

    with pytest.raises(InvalidInput, match=name):
        upgrade(ledger.engine)


def test_upgrade__operators_of_before__have_dropped_no_conflict(engine: Engine) -> None:
    row = {"name": "op", "address": "0x" + "a" * 40, "created_at_s": 1}
    with transaction(engine) as connection:
        connection.execute(insert(operators).values(**row))
        connection.execute(text("ALTER TABLE operators DROP COLUMN conflicts_dropped"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0015'"))

    upgrade(engine)

    with engine.connect() as connection:
        assert differences(connection) == []
        assert connection.execute(select(operators.c.conflicts_dropped)).scalars().all() == [0]


_WHOLE = """
    CREATE TABLE {name} (facility_id BIGINT NOT NULL REFERENCES facilities (facility_id))
"""


def test_upgrade__ledger_of_before__is_made_anew_by_month(engine: Engine) -> None:
    """Of before: tables that PostgreSQL kept whole, and events with their texts."""
    old = [statement_lines, statement_trees, attestations, statements, facts]
    with transaction(engine) as connection:
        for table in (log_entries, *old):
            table.drop(connection)
        for table in old:
            connection.execute(text(_WHOLE.format(name=table.name)))
        kind = "BYTEA" if engine.dialect.name == "postgresql" else "BLOB"
        connection.execute(text(f"ALTER TABLE meter_events ADD COLUMN payload {kind}"))
        connection.execute(text("ALTER TABLE facilities DROP COLUMN log_head"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0023'"))

    upgrade(engine)

    with engine.connect() as connection:
        assert differences(connection) == []


def _salted(ledger: Ledger) -> bytes:
    """The database as it was while one salt a facility made all hashes."""
    with transaction(ledger.engine) as connection:
        connection.execute(text("ALTER TABLE facilities RENAME COLUMN name_secret TO salt"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0027'"))
        return bytes(connection.execute(text("SELECT salt FROM facilities")).scalar_one())


def test_upgrade__leases_of_one_salt__are_refused_with_the_way_out(ledger: Ledger) -> None:
    """Attesters know the salt: no secret can be made of it, and hashes stand for ever."""
    salt = _salted(ledger)

    with pytest.raises(InvalidInput, match="until their closings"):
        upgrade(ledger.engine)

    with transaction(ledger.engine) as connection:
        assert bytes(connection.execute(text("SELECT salt FROM facilities")).scalar_one()) == salt


def test_upgrade__facility_without_leases__gets_a_secret_that_nobody_knows(
    ledger: Ledger,
) -> None:
    salt = _salted(ledger)
    with transaction(ledger.engine) as connection:
        connection.execute(text("DELETE FROM leases"))

    upgrade(ledger.engine)

    with ledger.engine.connect() as connection:
        assert differences(connection) == []
        found = connection.execute(select(facilities.c.name_secret)).scalar_one()
    assert len(found) == 32
    assert found != salt
