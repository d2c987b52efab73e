"""The decision, held against a second reading of the triage specification and its invariants."""
