"""Pure rules of metering, rating, statements and settlement: no I/O, no clock, no randomness."""
