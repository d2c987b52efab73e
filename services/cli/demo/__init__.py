"""`referrals demo`: fills a running service with cases, and keeps them coming where that is asked for."""
