"""Checks whether the broker answers, and at which address, for health reports."""

from urllib.parse import urlsplit

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from shared.platform.settings import Settings

TIMEOUT_SECONDS = 0.3


def broker_answers(settings: Settings) -> bool:
    """Say whether the broker answers at once."""
    limits = {"socket_timeout": TIMEOUT_SECONDS, "socket_connect_timeout": TIMEOUT_SECONDS}
    try:
        with Redis.from_url(settings.redis_url, retry=Retry(NoBackoff(), 0), **limits) as broker:
            return bool(broker.ping())
    except RedisError:
        return False


def address(url: str) -> str:
    """Return where the broker of a REDIS_URL is, without user and password."""
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return parts.path
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{host}:{parts.port or 6379}"
