"""Admission control: bulkheads, load shedding and batch fairness."""
