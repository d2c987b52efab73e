"""Limits how much one key, one address and one person who guesses may ask for within a minute."""
