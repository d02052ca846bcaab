"""The command line: commands, wiring of processes, output, doctor."""
