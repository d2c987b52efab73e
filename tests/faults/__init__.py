"""Everything that can break here breaks under load, and everything accepted becomes one referral in its queue."""
