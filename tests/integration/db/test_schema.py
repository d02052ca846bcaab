"""The comparison of a database with its tables sees what alembic alone would not."""

from sqlalchemy import Engine, text

from api.db.session import transaction
from tests.postgres import postgres_only
from tests.schema import differences


@postgres_only
def test_differences__partition_without_an_index__is_found(engine: Engine) -> None:
    with transaction(engine) as connection:
        connection.execute(text("ALTER TABLE facts DETACH PARTITION facts_default"))

        found = differences(connection)

    assert ("facts", "no default partition") in found
    assert any(each[0] == "remove_table" for each in found)
