"""Traces: what the service records of its own work, and where it sends that."""
