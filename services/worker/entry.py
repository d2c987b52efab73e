"""What the `celery` command loads: the application, made from the environment."""

from services.worker.app import create_worker
from shared.settings import load_settings

app = create_worker(load_settings())
