"""What processes at other people's find on their own machine: settings, secrets, findings."""
