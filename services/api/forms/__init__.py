"""The form of a protocol: JSON Schema, validation, and reading it from a request."""
