"""What collectors say: events, intervals of use, occupancy of devices."""
