"""What an operator sees of its own facilities."""
