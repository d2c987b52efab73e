"""The embedded runtime: the whole service with its own PostgreSQL and Valkey on one machine."""
