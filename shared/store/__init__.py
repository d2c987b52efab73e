"""Queries, as functions on the session they are handed; the caller opens the session and commits."""
