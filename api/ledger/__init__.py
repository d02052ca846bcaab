"""What comes in: facilities, leases, events and corrections."""
