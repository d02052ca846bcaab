"""The demo: a market, its story, and a living service on it."""
