"""What the `celery` command loads: the ordinary worker, made from the environment."""

from celery.signals import worker_process_init

from bench.plain.tasks import create_celery
from shared.platform.database import create_engine, create_sessions
from shared.platform.settings import load_settings

settings = load_settings()
engine = create_engine(settings, pool_size=1)
worker_process_init.connect(lambda **_: engine.dispose(close=False), weak=False)  # each process connects for itself
app = create_celery(settings, create_sessions(engine))
