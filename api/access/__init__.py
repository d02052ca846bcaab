"""Who is calling: keys, sessions, Sign-In with Ethereum."""
