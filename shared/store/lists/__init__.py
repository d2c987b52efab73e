"""Lists over all queues and searches, each a walk along an index."""
