"""What people see. Never writes.

Names: a class that ends in `Row` is what one query of `sql/` returns, and leaves `sql/` only for
the module that asked. A class that ends in `View` is what a route is answered with, or a part of
such an answer. Other classes (filters, enums, facts that a rule needs) have no such ending.
Only `sql/` and `db` know SQLAlchemy.
"""
