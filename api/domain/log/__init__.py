"""A facility's log: entries of fixed form, each with the hash of the one before."""
