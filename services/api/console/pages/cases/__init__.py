"""Pages of one case, and what a person does to it or takes over from another."""
