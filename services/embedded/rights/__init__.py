"""What `referrals up` keeps of the rights of root, where root starts it: next to nothing."""
