"""The actor of a request, the access log, and its search."""
