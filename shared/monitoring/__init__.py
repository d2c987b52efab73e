"""What is observed of a running service: metrics exposition, disk level, periodic heartbeats."""
