"""The clockwork: close, attest, post, settle, index; the worker turns it."""
