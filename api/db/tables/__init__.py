"""Tables of the service: what a row of each means stands in docs/ARCHITECTURE.md."""
