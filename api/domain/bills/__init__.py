"""Bills: what statements stated of one lease for one month, why, and what of it is paid."""
