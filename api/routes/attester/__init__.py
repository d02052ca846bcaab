"""Routes of attesters."""
