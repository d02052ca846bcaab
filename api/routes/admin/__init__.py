"""Routes of the admin: operators and keys."""
