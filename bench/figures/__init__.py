"""The figures: each module takes one kind, beside its baseline, and returns rows of the table."""
