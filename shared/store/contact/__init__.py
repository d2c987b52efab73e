"""Queries on the contact with the patient: due times, what is overdue, and the form that is read for the call."""
