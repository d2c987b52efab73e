"""Referrals: reading, worklists and actions."""
