"""The pages about single cases: read one, act on it, call back, search, try a form."""
