"""Queries on API keys, and the scope of a caller."""
