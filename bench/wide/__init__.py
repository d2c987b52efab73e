"""The compose stack made wider on one host: what more containers of a role give, where that ends, and why."""
