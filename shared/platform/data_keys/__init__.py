"""The keys of stored data as settings give them: in the clear, or wrapped by a key that is kept elsewhere."""
