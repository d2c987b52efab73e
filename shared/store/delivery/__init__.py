"""Queries on webhook destinations and deliveries."""
