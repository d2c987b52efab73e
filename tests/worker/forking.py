"""Eight children of one worker each read their own number 200 times; exits with how many of them read another's."""

import os
import sys

from celery.signals import worker_process_init
from sqlalchemy import text

from services.worker.triage import app as worker_app
from shared.platform.settings import load_settings

CHILDREN, READS = 8, 200


def main() -> int:
    engines = []
    create_engine = worker_app.create_engine
    worker_app.create_engine = lambda *args, **options: engines.append(create_engine(*args, **options)) or engines[0]
    worker_app.create_worker(load_settings())
    with engines[0].connect():
        pass  # the parent's pool now holds a connection, which every child inherits
    children = [fork_reader(engines[0], number) for number in range(CHILDREN)]
    return sum(os.waitpid(sandbox, 0)[1] != 0 for sandbox in children)


def fork_reader(engine, number: int) -> int:
    sandbox = os.fork()
    if sandbox:
        return sandbox
    worker_process_init.send(sender=None)
    mistaken = False
    for _ in range(READS):
        with engine.connect() as connection:
            mistaken |= connection.scalar(text("select cast(:number as int)"), {"number": number}) != number
    os._exit(mistaken)


if __name__ == "__main__":
    sys.exit(main())
