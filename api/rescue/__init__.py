"""Bringing a service back: evidence against the database, backups, restores."""
