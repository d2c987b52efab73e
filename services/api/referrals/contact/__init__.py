"""The call to the patient: the form that is read for it, and how it ended."""
