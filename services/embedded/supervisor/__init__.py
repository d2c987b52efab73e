"""Starts the processes of one machine in order, keeps them running and stops them, leaving none behind."""
