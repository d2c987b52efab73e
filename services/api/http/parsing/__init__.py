"""Strict reading of JSON bodies and query parameters."""
