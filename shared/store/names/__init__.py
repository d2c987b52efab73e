"""Names that senders give to what they send, which may say of whom it is: hashed to compare, sealed to show."""
