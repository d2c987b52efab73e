"""Settings, database, broker, logs, metrics, cryptography and clock."""
