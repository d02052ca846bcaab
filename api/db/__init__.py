"""The service's database: tables, sessions, queries."""
