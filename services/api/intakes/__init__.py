"""Intakes: single posts, batches and reading one back."""
