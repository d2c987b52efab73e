"""`referrals list`, `show`, `find`, `acknowledge`, `reroute` and `return`: working referrals from a terminal."""
