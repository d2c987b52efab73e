"""One module for each kind of protocol file."""
