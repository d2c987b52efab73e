"""Queries on events: append, number, read and verify."""
