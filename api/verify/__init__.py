"""Recomputes everything from chain and evidence alone; no database."""
