"""Figures of the console: the tables of the statistics, and lines of the last hour."""
