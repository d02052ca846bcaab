"""The agent as a process, against stand-ins of all that it talks to."""
