"""Wake-ups for the workers: coalesced by the announcer, published as Celery messages by the publisher."""
