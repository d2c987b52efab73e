"""`referrals doctor` and its checks."""
