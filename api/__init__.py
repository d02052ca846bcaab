"""Rentroll: metered GPU rental revenue, attested on-chain and settled to token holders."""
