"""A database of the first release becomes what the tables say, and keeps its rows."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, insert, select, text

from api.db.migrate import upgrade
from api.db.session import transaction
from api.db.tables import hardware_disclosures, metadata, operators
from api.db.tables_access import session_nonces, sessions
from api.db.tables_console import event_rejections, event_repeats
from api.db.tables_history import epoch_reopenings, superseded_statements

_ADDED = (
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
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        assert connection.execute(select(operators.c.name)).scalars().all() == ["op"]
