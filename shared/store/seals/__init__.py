"""Seals chains, referrals and API keys by MACs under a key outside the database, so that rewritten rows are found."""
