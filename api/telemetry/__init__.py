"""What a process tells those who run it: its log, whether it lives and is ready, its numbers."""
