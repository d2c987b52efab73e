"""Commands for the database: migration, audit, backup and restore."""
