"""A load of forms with a history, and what has to be true of it: the driver of every test that breaks something."""
