"""Routes that need no key."""
