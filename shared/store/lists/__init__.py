"""Lists over all queues, worklists and searches, each a walk along an index."""
