"""Measures the service side by side with baselines, on one machine and in one run."""
