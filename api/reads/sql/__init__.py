"""The queries of the read side."""
