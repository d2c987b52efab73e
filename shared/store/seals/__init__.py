"""Seals the past with a key that the database does not hold: chains, referrals with their decisions, and API keys."""
