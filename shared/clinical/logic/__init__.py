"""Three-valued logic and the condition language."""
