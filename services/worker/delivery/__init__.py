"""Delivery to departments' own systems: what is due is sent there, signed, until it arrives or a person has to look."""
