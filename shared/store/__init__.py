"""Every query, as functions that use the session they are handed; who opens it also commits it."""
