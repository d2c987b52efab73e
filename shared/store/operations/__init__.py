"""Queries for operators: status, audit, pending work and heartbeats."""
