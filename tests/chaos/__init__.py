"""The whole system under faults at random: `make chaos`."""
