"""Routes of operators: registration, leases, metering, console."""
