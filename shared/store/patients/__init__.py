"""Identities of patients: sealed, compared by keyed hashes, corrected."""
