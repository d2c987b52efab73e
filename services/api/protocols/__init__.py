"""The active protocol: form, rules and preview."""
