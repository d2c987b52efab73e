"""The operators' console: pages drawn by the server for the people who watch and work the queues."""
