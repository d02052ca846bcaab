"""Sending: one state machine of transactions, from a stored intent until it is final."""
