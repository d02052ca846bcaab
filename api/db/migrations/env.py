"""Alembic environment: runs inside the transaction that `api.db.migrate` opened."""

from alembic import context

from api.db import tables_access, tables_chain, tables_console, tables_history  # noqa: F401
from api.db.tables import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, transactional_ddl=False)
context.run_migrations()
