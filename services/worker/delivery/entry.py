"""What the `celery` command loads in a delivery worker: the application, made from the environment."""

from services.worker.delivery.app import create_delivery_worker
from shared.settings import load_settings

app = create_delivery_worker(load_settings())
