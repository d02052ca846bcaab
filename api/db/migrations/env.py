"""Alembic environment: runs inside the transaction that `api.db.migrate` opened."""

from alembic import context

from api.db.tables import access as tables_access  # noqa: F401
from api.db.tables import bills as tables_bills  # noqa: F401
from api.db.tables import chain as tables_chain  # noqa: F401
from api.db.tables import console as tables_console  # noqa: F401
from api.db.tables import history as tables_history  # noqa: F401
from api.db.tables import index as tables_index  # noqa: F401
from api.db.tables import leases as tables_leases  # noqa: F401
from api.db.tables import ledger as tables_ledger  # noqa: F401
from api.db.tables import lost as tables_lost  # noqa: F401
from api.db.tables import outbox as tables_outbox  # noqa: F401
from api.db.tables import pledges as tables_pledges  # noqa: F401
from api.db.tables import refusals as tables_refusals  # noqa: F401
from api.db.tables import replacements as tables_replacements  # noqa: F401
from api.db.tables import statements as tables_statements  # noqa: F401
from api.db.tables import work as tables_work  # noqa: F401
from api.db.tables.base import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, transactional_ddl=False)
context.run_migrations()
