"""Where the agent learns of devices and their use: one module a kind of source."""
