"""The agent, without sockets: its book, spool, sender, and what its sources say."""
