"""What the command line does with logs in the database of the settings."""

from api.db.migrate import upgrade
from api.db.session import open_engine
from api.domain.units import FacilityId
from api.ledger.restoring import give_up
from api.settings import Settings


def give_up_lost(settings: Settings, facility_id: FacilityId) -> int:
    """Give up what a log lost. Returns how many entries were shown of it."""
    engine = open_engine(settings.database_url)
    try:
        upgrade(engine)
        return give_up(engine, facility_id)
    finally:
        engine.dispose()
