"""Says which connections may pass in the clear."""
