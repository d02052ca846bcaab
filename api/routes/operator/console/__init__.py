"""What an operator sees of itself."""

CONSOLE_FACILITY = "/v1/console/facilities/{facility_id}"
