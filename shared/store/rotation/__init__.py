"""Turns data keys: seals with a new key what an old one sealed, and hashes anew with a new LOOKUP_KEY."""
