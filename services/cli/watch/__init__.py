"""`referrals watch`: the queues and the referrals that are due next, live in a terminal."""
