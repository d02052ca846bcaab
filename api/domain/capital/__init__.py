"""The money side: sale, bond, settlement, streams, coupons, reconciliation."""
