"""What every table shares: metadata, and how constraints are named.

docs/ARCHITECTURE.md §2 says what a row of each table means. Times are UTC seconds, money is minor
units, hashes are 32 raw bytes. `*_pk` are ours alone and never leave the service.
"""

from sqlalchemy import MetaData

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
