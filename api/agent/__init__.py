"""The agent: one process near the GPUs that turns what sources say into events, and sends them."""
