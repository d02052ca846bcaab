"""Reading metering formats of others."""
