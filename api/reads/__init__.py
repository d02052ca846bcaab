"""What people see. Never writes."""
